package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"

	"github.com/argoproj/argo-cd/v3/applicationset/controllers/template"
	"github.com/argoproj/argo-cd/v3/applicationset/generators"
	"github.com/argoproj/argo-cd/v3/applicationset/utils"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/sirupsen/logrus"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
)

// directory is a Git repository, checked out.
type directory string

// GetDirectories has every directory of the repository, whatever its URL and revision.
func (d directory) GetDirectories(
	context.Context, string, string, string, bool, *v1alpha1.SourceIntegrity,
) ([]string, error) {
	var found []string
	err := fs.WalkDir(os.DirFS(string(d)), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && path != "." {
			found = append(found, path)
		}
		return err
	})
	return found, err
}

// GetFiles is for generators that read files.
func (d directory) GetFiles(
	context.Context, string, string, string, string, bool, *v1alpha1.SourceIntegrity,
) (map[string][]byte, error) {
	return nil, errors.New("files of a repository are not supported")
}

// applicationSet is the Applications that Argo CD makes of an ApplicationSet with a Git generator.
// It looks for the project in the cluster of KUBECONFIG, as Argo CD does.
func applicationSet(input *json.Decoder) (any, error) {
	var question struct {
		ApplicationSet v1alpha1.ApplicationSet `json:"applicationSet"`
		Repository     string                  `json:"repository"`
	}
	if err := input.Decode(&question); err != nil {
		return nil, err
	}
	cluster, err := cluster()
	if err != nil {
		return nil, err
	}
	applications, _, err := template.GenerateApplications(
		logrus.NewEntry(logrus.StandardLogger()),
		question.ApplicationSet,
		map[string]generators.Generator{
			"Git": generators.NewGitGenerator(directory(question.Repository), ""),
		},
		&utils.Render{},
		cluster,
	)
	return applications, err
}

func cluster() (client.Client, error) {
	configuration, err := config.GetConfig()
	if err != nil {
		return nil, err
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	return client.New(configuration, client.Options{Scheme: scheme})
}
