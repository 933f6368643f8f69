{{- define "type" -}}
{{- $type := . -}}
{{- if markdownShouldRenderType $type }}
### {{ $type.Name }}

{{ if $type.IsAlias }}({{ markdownRenderTypeLink $type.UnderlyingType }}) {{ end }}{{ $type.Doc }}
{{ with $type.SortedReferences }}
Part of {{ range $i, $reference := . }}{{ if $i }}, {{ end }}{{ markdownRenderTypeLink $reference }}{{ end }}.
{{ end }}
{{- with index $type.Markers "kubebuilder:validation:XValidation" }}
Refused, with these words:
{{ range . }}
- {{ markdownRenderFieldDoc .Message }}
{{- end }}
{{ end }}
{{- if $type.Members }}
| field | what it is | default | bounds |
| --- | --- | --- | --- |
{{ range $type.Members -}}
{{ if ne .Name "metadata" -}}
| `{{ .Name }}` {{ if has "Required: {}" .Validation }}**required** {{ end }}_{{ markdownRenderType .Type }}_ | {{ markdownRenderFieldDoc .Doc }}{{ template "rules" . }} | {{ if not (hasPrefix "{" .Default) }}{{ markdownRenderDefault .Default }}{{ end }} | {{ template "bounds" .Validation }} |
{{ end -}}
{{ end -}}
{{ end -}}
{{- if $type.EnumValues }}
| value | what it means |
| --- | --- |
{{ range $type.EnumValues -}}
| `{{ .Name }}` | {{ markdownRenderFieldDoc .Doc }} |
{{ end -}}
{{ end -}}
{{- end -}}
{{- end -}}

{{- /* The rules of a field, without those that the section of its type tells. */ -}}
{{- define "rules" -}}
{{- $ofType := list -}}
{{- range list .Type .Type.UnderlyingType -}}
{{- if . -}}{{- if .Members -}}{{- range index .Markers "kubebuilder:validation:XValidation" -}}{{- $ofType = append $ofType .Message -}}{{- end -}}{{- end -}}{{- end -}}
{{- end -}}
{{- range index .Markers "kubebuilder:validation:XValidation" -}}
{{- if not (has .Message $ofType) }} _Refused: {{ markdownRenderFieldDoc .Message }}_{{ end -}}
{{- end -}}
{{- end -}}

{{- define "bounds" -}}
{{- $told := 0 -}}
{{- range without . "Required: {}" "Optional: {}" -}}
{{- if not (hasPrefix "Enum: " .) -}}
{{- if $told }}, {{ end -}}{{- $told = 1 -}}{{ markdownRenderFieldDoc . }}
{{- end -}}
{{- end -}}
{{- end -}}
