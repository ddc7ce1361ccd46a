package main

import (
	"context"
	"encoding/json"

	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// flux is what Flux' kustomize-controller reads of objects with the expressions of a
// Kustomization. An expression that fails gives the status Unknown and the error.
func flux(input *json.Decoder) (any, error) {
	var question struct {
		HealthCheckExprs []kustomize.CustomHealthCheck `json:"healthCheckExprs"`
		Objects          []unstructured.Unstructured   `json:"objects"`
	}
	if err := input.Decode(&question); err != nil {
		return nil, err
	}
	reader, err := cel.NewStatusReader(question.HealthCheckExprs)
	if err != nil {
		return nil, err
	}
	return verdicts(question.Objects, func(object *unstructured.Unstructured) (verdict, error) {
		// The mapper and the cluster are for objects that the reader fetches itself.
		read, err := reader(nil).ReadStatusForObject(context.Background(), nil, object)
		if err != nil {
			return verdict{}, err
		}
		if read.Error != nil {
			return verdict{read.Status.String(), read.Error.Error()}, nil
		}
		return verdict{read.Status.String(), read.Message}, nil
	})
}
