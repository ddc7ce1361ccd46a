package main

import (
	"encoding/json"
	"fmt"

	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// project is what an AppProject does not permit of an Application and its objects.
func project(input *json.Decoder) (any, error) {
	var question struct {
		Project     v1alpha1.AppProject         `json:"project"`
		Application v1alpha1.Application        `json:"application"`
		Objects     []unstructured.Unstructured `json:"objects"`
	}
	if err := input.Decode(&question); err != nil {
		return nil, err
	}
	project, spec := question.Project, question.Application.Spec
	refused := []string{}
	if spec.Project != project.Name {
		refused = append(refused, fmt.Sprintf("it is of the project %q", spec.Project))
	}
	if !project.IsSourcePermitted(*spec.Source) {
		refused = append(refused, fmt.Sprintf("the source %s", spec.Source.RepoURL))
	}
	cluster := &v1alpha1.Cluster{Server: spec.Destination.Server}
	noProjects := func(string) ([]*v1alpha1.Cluster, error) { return nil, nil }
	for _, object := range question.Objects {
		permitted, err := project.IsLiveResourcePermitted(&object, cluster, noProjects)
		if err != nil {
			return nil, err
		}
		if !permitted {
			refused = append(refused, fmt.Sprintf(
				"%s %s/%s", object.GroupVersionKind(), object.GetNamespace(), object.GetName()))
		}
	}
	return refused, nil
}
