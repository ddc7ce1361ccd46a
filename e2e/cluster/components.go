package main

import (
	"context"
	"os"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	kubectlcmd "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubeletapp "k8s.io/kubernetes/cmd/kubelet/app"

	// The plugins that the Corefile names.
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"

	// Metrics and logging as the components' own main packages register them.
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/restclient"
	_ "k8s.io/component-base/metrics/prometheus/version"
)

func coreDNS() int {
	// The order in which a query passes the plugins, as in CoreDNS's own plugin.cfg.
	dnsserver.Directives = []string{"bind", "errors", "cache", "kubernetes"}
	coremain.Run()
	return 0
}

func etcd() int {
	etcdmain.Main(os.Args)
	return 0
}

func kubeAPIServer() int         { return run(apiserver.NewAPIServerCommand()) }
func kubeControllerManager() int { return run(controllermanager.NewControllerManagerCommand()) }
func kubeProxy() int             { return run(proxy.NewProxyCommand()) }
func kubeScheduler() int         { return run(scheduler.NewSchedulerCommand()) }
func kubelet() int               { return run(kubeletapp.NewKubeletCommand(context.Background())) }

func kubectl() int {
	if err := cli.RunNoErrOutput(kubectlcmd.NewDefaultKubectlCommand()); err != nil {
		kubectlutil.CheckErr(err) // prints the error and exits with the status that belongs to it
	}
	return 0
}

// run runs a component's command, which reads os.Args, and returns its exit status.
func run(command *cobra.Command) int {
	return cli.Run(command)
}
