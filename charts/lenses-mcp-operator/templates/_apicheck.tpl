{{/*
What checks that the API server accepts a LensesMcpServer resource: rights for a dry run, and a pod.
Takes (list . hook suffix); Helm deletes all of it when the check has passed.
*/}}
{{- define "operator.apiCheckMetadata" -}}
{{- $root := index . 0 -}}
{{- $annotations := dict "helm.sh/hook" (index . 1) "helm.sh/hook-weight" (index . 3) -}}
{{- $_ := set $annotations "helm.sh/hook-delete-policy" "before-hook-creation,hook-succeeded" -}}
name: {{ include "operator.suffixed" (list $root (index . 2)) | quote }}
namespace: {{ $root.Release.Namespace | quote }}
{{ include "operator.metadata" (dict "root" $root "annotations" $annotations "name" (index . 2)) }}
{{- end -}}

{{- define "operator.apiCheckRights" -}}
{{- $root := index . 0 -}}
{{- $name := include "operator.suffixed" (list $root (index . 2)) -}}
{{- $metadata := include "operator.apiCheckMetadata" (append . "-1") -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- $metadata | nindent 2 }}
automountServiceAccountToken: false
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  {{- $metadata | nindent 2 }}
rules:
  - apiGroups: [mcp.lenses.io]
    resources: [lensesmcpservers]
    verbs: [create]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  {{- $metadata | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ $name | quote }}
subjects:
  - kind: ServiceAccount
    name: {{ $name | quote }}
    namespace: {{ $root.Release.Namespace | quote }}
{{- end -}}

{{- define "operator.apiCheckPod" -}}
{{- $root := index . 0 -}}
serviceAccountName: {{ include "operator.suffixed" (list $root (index . 2)) | quote }}
automountServiceAccountToken: true
enableServiceLinks: false
restartPolicy: Never
{{- with include "operator.imagePullSecrets" $root }}
{{ . }}
{{- end }}
securityContext:
  {{- include "operator.podSecurityContext" $root | nindent 2 }}
containers:
  - name: check-api
    image: {{ include "operator.image" (list $root $root.Values.image) | quote }}
    imagePullPolicy: {{ $root.Values.image.pullPolicy | quote }}
    args:
      - check-api
      - --wait={{ dig "startupCheck" "timeoutSeconds" 60 $root.Values.AsMap }}
      - --namespace={{ $root.Release.Namespace }}
    resources:
      {{- toYaml $root.Values.resources | nindent 6 }}
    securityContext:
      {{- include "operator.securityContext" $root | nindent 6 }}
{{- with $root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
