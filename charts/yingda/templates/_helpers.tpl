{{/* The name of everything that the chart makes for the operator. */}}
{{- define "yingda.operator" -}}
yingda-operator
{{- end }}

{{- define "yingda.selectorLabels" -}}
app.kubernetes.io/name: yingda
app.kubernetes.io/component: operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "yingda.labels" -}}
{{ include "yingda.selectorLabels" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "yingda.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* The Secret with the webhook's certificate. One that cert-manager made never becomes Helm's, nor the other way round. */}}
{{- define "yingda.webhookSecret" -}}
{{ include "yingda.operator" . }}-webhook{{ if .Values.webhook.certManager.enabled }}-issued{{ end }}
{{- end }}

{{/* The namespaces that the operator serves, as a selector of namespaces. */}}
{{- define "yingda.namespaceSelector" -}}
{{- with .Values.watchNamespaces -}}
matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: In
    values: [{{ join ", " . }}]
{{- else -}}
{}
{{- end }}
{{- end }}

{{/* The pods of all Brands. */}}
{{- define "yingda.dataPlaneLabels" -}}
app.kubernetes.io/name: yingda
app.kubernetes.io/managed-by: yingda-operator
{{- end }}

{{/* What the operator may do in the namespaces that it serves. It holds every right that it gives to the data plane. */}}
{{- define "yingda.rules" -}}
- apiGroups: [yingda.dev]
  resources: [agents, brands, channels, playbooks, servicelevels, shiftschedules, skillgroups]
  verbs: [get, list, watch]
- apiGroups: [yingda.dev]
  resources: [agents/status, brands/status, channels/status, playbooks/status, servicelevels/status, shiftschedules/status, skillgroups/status]
  verbs: [patch]
# Finalizers: a Brand stays while Channels refer to it, a Channel until its connector has drained it. What is made for a
# Brand, a Channel or an Agent goes with it.
- apiGroups: [yingda.dev]
  resources: [brands, channels]
  verbs: [patch]
- apiGroups: [yingda.dev]
  resources: [agents/finalizers, brands/finalizers, channels/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [batch]
  resources: [jobs]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [ingresses, networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [keda.sh]
  resources: [scaledobjects, triggerauthentications]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [rbac.authorization.k8s.io]
  resources: [roles, rolebindings]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services, serviceaccounts]
  verbs: [get, list, watch, create, patch, delete]
# Metadata is all that is ever read of a Secret, but rights know no such difference. The connectors' Roles name Secrets, and
# nobody may give a right that they do not hold. create and delete are for the trial tokens of Agents.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, delete]
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list, watch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end }}

{{/* HolidayCalendars belong to no namespace: a ClusterRole allows them, whichever namespaces are served. */}}
{{- define "yingda.calendarRules" -}}
- apiGroups: [yingda.dev]
  resources: [holidaycalendars]
  verbs: [get, list, watch]
- apiGroups: [yingda.dev]
  resources: [holidaycalendars/status]
  verbs: [patch]
{{- if .Values.calendars.china }}
# Those that come with the chart, and no others.
- apiGroups: [yingda.dev]
  resources: [holidaycalendars]
  resourceNames: [china]
  verbs: [create, patch]
{{- end }}
{{- end }}
