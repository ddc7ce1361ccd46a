package main

import (
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

// kstatus reads one object as JSON from its standard input and prints what kstatus makes of it:
// InProgress, Failed, Current, Terminating or Unknown, and why. It is what Flux and `kpt` wait on.
func kstatus() int {
	object := &unstructured.Unstructured{}
	if err := json.NewDecoder(os.Stdin).Decode(object); err != nil {
		fmt.Fprintln(os.Stderr, "kstatus: failed to read an object from standard input:", err)
		return 1
	}
	result, err := status.Compute(object)
	if err != nil {
		fmt.Fprintln(os.Stderr, "kstatus:", err)
		return 1
	}
	fmt.Printf("%s\t%s\n", result.Status, result.Message)
	return 0
}
