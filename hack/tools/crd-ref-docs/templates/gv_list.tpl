{{- define "gvList" -}}
<!-- Written by make generate from api/v1alpha1. -->
# Reference

Every field of every resource, as `kubectl explain` has it. [resources.md](../resources.md) shows them by example.
{{ range . }}{{ template "gvDetails" . }}{{ end }}
{{- end -}}
