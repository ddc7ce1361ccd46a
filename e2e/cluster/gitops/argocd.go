package main

import (
	"encoding/json"
	"strings"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/health"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// healthKey begins the keys of the ConfigMap argocd-cm that hold health checks.
const healthKey = "resource.customizations.health."

// argoCD is the health that Argo CD gives objects with the health checks of its ConfigMap.
func argoCD(input *json.Decoder) (any, error) {
	var question struct {
		Customizations map[string]string           `json:"customizations"`
		Objects        []unstructured.Unstructured `json:"objects"`
	}
	if err := input.Decode(&question); err != nil {
		return nil, err
	}
	overrides := lua.ResourceHealthOverrides{}
	for key, script := range question.Customizations {
		if kind, ok := strings.CutPrefix(key, healthKey); ok {
			// GROUP_KIND in the ConfigMap, GROUP/KIND in Argo CD.
			overrides[strings.Replace(kind, "_", "/", 1)] = v1alpha1.ResourceOverride{HealthLua: script}
		}
	}
	return verdicts(question.Objects, func(object *unstructured.Unstructured) (verdict, error) {
		found, err := health.GetResourceHealth(object, overrides)
		if err != nil {
			return verdict{}, err
		}
		// Argo CD takes an object for Healthy of which it has no health check.
		if found == nil {
			return verdict{"none", "Argo CD has no health check for it"}, nil
		}
		return verdict{string(found.Status), found.Message}, nil
	})
}
