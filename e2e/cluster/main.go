// Command kubernetes is every component of a Kubernetes node and of its control plane in one
// binary.
//
// The component is chosen by the name that the program is called by (a symbolic link named kubectl
// is kubectl) or, when that names none, by the first argument. Each is the component's own command:
// what runs here is what runs in a cluster, linked together so that one build, of shared packages,
// makes them all.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// components maps a component's name to what runs it. A component reads its arguments from os.Args.
var components = map[string]func() int{
	"coredns":                 coreDNS,
	"etcd":                    etcd,
	"kube-apiserver":          kubeAPIServer,
	"kube-controller-manager": kubeControllerManager,
	"kube-proxy":              kubeProxy,
	"kube-scheduler":          kubeScheduler,
	"kstatus":                 kstatus,
	"kubectl":                 kubectl,
	"kubelet":                 kubelet,
	"node":                    node,
}

func main() {
	if run, ok := components[filepath.Base(os.Args[0])]; ok {
		os.Exit(run())
	}
	if len(os.Args) > 1 {
		if run, ok := components[os.Args[1]]; ok {
			os.Args = os.Args[1:]
			os.Exit(run())
		}
	}
	names := make([]string, 0, len(components))
	for name := range components {
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Fprintf(os.Stderr, "usage: %s COMPONENT [ARGUMENT...], where COMPONENT is one of %s\n",
		filepath.Base(os.Args[0]), strings.Join(names, ", "))
	os.Exit(2)
}
