// Command gitops asks Argo CD and Flux, in their own code, about objects. It reads a question as
// JSON from its standard input and writes the answer as JSON. What is asked is its argument:
//
//   - argocd: the health of "objects" with "customizations", the data of argocd-cm. The answer has
//     {"status", "message"} for each object.
//   - flux: the same with "healthCheckExprs", those of a Kustomization.
//   - applicationset: the Applications of "applicationSet" in "repository", a directory.
//   - project: what "project" does not permit of "application" and its "objects".
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// answers has the answer to each kind of question.
var answers = map[string]func(input *json.Decoder) (any, error){
	"applicationset": applicationSet,
	"argocd":         argoCD,
	"flux":           flux,
	"project":        project,
}

// verdict is the health of one object.
type verdict struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "gitops:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) != 2 || answers[os.Args[1]] == nil {
		return fmt.Errorf("usage: gitops applicationset|argocd|flux|project")
	}
	answer, err := answers[os.Args[1]](json.NewDecoder(os.Stdin))
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(answer)
}

// verdicts is the verdict of `of` on each object.
func verdicts(
	objects []unstructured.Unstructured, of func(*unstructured.Unstructured) (verdict, error),
) ([]verdict, error) {
	all := make([]verdict, 0, len(objects))
	for index := range objects {
		one, err := of(&objects[index])
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}
