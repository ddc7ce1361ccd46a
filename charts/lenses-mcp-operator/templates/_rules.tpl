{{/* What the operator does in each namespace that it watches, and nothing else. */}}
{{- define "operator.rules" -}}
- apiGroups: [mcp.lenses.io]
  resources: [lensesmcpservers]
  verbs: [get, list, watch]
- apiGroups: [mcp.lenses.io]
  resources: [lensesmcpservers/status]
  verbs: [patch]
# Objects are made and changed by server-side apply (patch), which needs create for those that are
# not there. They go with their owner, so only those are deleted that a spec may stop asking for. Of
# what every resource has, others' metadata is watched, too, to know who has a name; of what a spec
# may ask for, "get" looks that up, and of a Deployment that has lost the label by which it is
# watched.
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [list, watch, create, patch]
# "get" reads, at the time of use, the authorities of spec.lenses.caBundle. "delete" is for settings
# that no pod mounts any more.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get, list, watch, create, patch, delete]
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
# credentials for introspection, spec.lenses.caBundle, spec.lenses.clientCertificate and
# spec.lenses.proxy.credentialsSecretRef. "delete" is for a sealing key that is rotated.
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
