{{/* The name of everything: the release's, with the chart's where it does not say so itself. */}}
{{- define "operator.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "operator.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "operator.labels" -}}
{{ include "operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: lenses
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* An image by digest, if there is one, else by tag. Takes (list image appVersion). */}}
{{- define "operator.image" -}}
{{- $image := index . 0 -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository ($image.tag | default (index . 1)) -}}
{{- end -}}
{{- end -}}

{{/* What the operator does in each namespace that it watches, and nothing else. */}}
{{- define "operator.rules" -}}
- apiGroups: [mcp.lenses.io]
  resources: [lensesmcpservers]
  verbs: [get, list, watch]
- apiGroups: [mcp.lenses.io]
  resources: [lensesmcpservers/status]
  verbs: [patch]
# Objects are made and changed by server-side apply (patch), which needs create for those that are not there. They go with their
# owner, so only those are deleted that a spec may stop asking for. Of what every resource has, others' metadata is watched, too, to
# know who has a name; of what a spec may ask for, "get" looks that up, and of a Deployment that has lost the label by which it is watched.
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [list, watch, create, patch]
# "get" reads, at the time of use, the authorities of spec.lenses.caBundle.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, patch]
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, patch]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [services]
  verbs: [list, watch, create, patch]
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [gateway.networking.k8s.io]
  resources: [httproutes]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [servicemonitors]
  verbs: [get, list, watch, create, patch, delete]
# Only metadata of Secrets is listed and watched, but RBAC cannot grant that alone. "get" reads, at
# the time of use, what verification needs: spec.verification.credentialSecretRef, the client
# credentials for introspection, spec.lenses.caBundle and spec.lenses.clientCertificate. "delete" is
# for a sealing key that is rotated.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch, create, patch, delete]
# Pods tell why they are not up, and where they do not, the warnings about them do.
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [list]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}
