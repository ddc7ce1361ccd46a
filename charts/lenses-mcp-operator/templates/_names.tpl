{{/*
The name of objects. A dot becomes a hyphen, because the Lease and the Service cannot have one.
*/}}
{{- define "operator.name" -}}
{{- $chart := .Values.nameOverride | default .Chart.Name -}}
{{- $name := .Values.fullnameOverride -}}
{{- if not $name -}}
{{- $both := printf "%s-%s" .Release.Name $chart -}}
{{- $name = contains $chart .Release.Name | ternary .Release.Name $both -}}
{{- end -}}
{{- $name | replace "." "-" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The name with a suffix, as a DNS label. Takes (list . suffix). */}}
{{- define "operator.suffixed" -}}
{{- $suffix := index . 1 -}}
{{- $name := include "operator.name" (index . 0) | trunc (int (sub 62 (len $suffix))) -}}
{{- printf "%s-%s" ($name | trimSuffix "-") $suffix -}}
{{- end -}}

{{/* The name of the metrics Service, which must not begin with a digit. */}}
{{- define "operator.metricsName" -}}
{{- printf "metrics-%s" (include "operator.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/*
Values that a release of an older chart lacks after "helm upgrade --reuse-values" have defaults.
*/}}
{{- define "operator.serviceAccountName" -}}
{{- if dig "serviceAccount" "create" true .Values.AsMap -}}
{{- .Values.serviceAccount.name | default (include "operator.name" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{/*
The value of app.kubernetes.io/name is the same in every release: the NetworkPolicies of servers
select the operator's pods by it.
*/}}
{{- define "operator.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "operator.labels" -}}
{{- with .Values.commonLabels -}}
{{ toYaml . }}
{{ end -}}
{{ include "operator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/part-of: lenses
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | quote }}
{{- end -}}

{{/*
Labels, and annotations if there are any, of an object in the release. Takes a dict of the root
context and, if the object has its own, labels and annotations. Its annotations win over the common
ones. "name" replaces app.kubernetes.io/name, for pods that are not the operator.
*/}}
{{- define "operator.metadata" -}}
labels:
  {{- $labels := include "operator.labels" .root | fromYaml }}
  {{- $_ := set $labels "app.kubernetes.io/name" (.name | default .root.Chart.Name) }}
  {{- mergeOverwrite (dict) (.labels | default dict) $labels | toYaml | nindent 2 }}
{{- $common := .root.Values.commonAnnotations | default dict }}
{{- with mergeOverwrite (dict) $common (.annotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* An image by digest, if there is one, else by tag. Takes (list . image). */}}
{{- define "operator.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $registry := dig "global" "imageRegistry" "" $root.Values.AsMap | default $image.registry -}}
{{- $full := printf "%s/%s" $registry $image.repository -}}
{{- $name := empty $registry | ternary $image.repository $full -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name ($image.tag | default $root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* The pull secrets of the operator's pods, as a list. */}}
{{- define "operator.imagePullSecrets" -}}
{{- $global := dig "global" "imagePullSecrets" list .Values.AsMap | default list -}}
{{- with concat $global (.Values.imagePullSecrets | default list) | uniq -}}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* Security contexts, with the defaults if a reused release has none. */}}
{{- define "operator.podSecurityContext" -}}
{{- $default := dict "runAsNonRoot" true "seccompProfile" (dict "type" "RuntimeDefault") -}}
{{- .Values.podSecurityContext | default $default | toYaml -}}
{{- end -}}

{{- define "operator.securityContext" -}}
{{- $capabilities := dict "drop" (list "ALL") -}}
{{- $default := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true -}}
{{- .Values.securityContext | default (set $default "capabilities" $capabilities) | toYaml -}}
{{- end -}}
