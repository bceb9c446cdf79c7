// Command operator is an operator of controller-runtime with its tests: envtest puts its definition and its webhooks into
// an existing cluster, the operator runs in this process, and each check looks at what the cluster made of it.
//
//	operator -kubeconfig FILE
//
// It prints one line for each check, and ends with 1 when one failed. A check that needs the server to be killed and
// started again writes the line "restart" to standard output and waits for the line "restarted" on standard input.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/go-logr/logr"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
)

// env is what every check gets.
type env struct {
	client    client.Client
	config    *rest.Config
	namespace string
	warnings  *warnings
	operators map[string]*running
	answers   *bufio.Scanner
}

func main() {
	// controller-runtime has the flag -kubeconfig.
	flag.Parse()
	ctrl.SetLogger(logr.Discard())
	if err := run(); err != nil {
		fmt.Println("FAIL", err)
		os.Exit(1)
	}
}

func run() error {
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	config.QPS = -1
	addTypes(scheme.Scheme)
	environment := &envtest.Environment{
		Config: config, UseExistingCluster: ptr(true), Scheme: scheme.Scheme,
		CRDs: []*apiextensionsv1.CustomResourceDefinition{definition()},
		WebhookInstallOptions: envtest.WebhookInstallOptions{
			MutatingWebhooks:   []*admissionregistrationv1.MutatingWebhookConfiguration{mutatingConfiguration()},
			ValidatingWebhooks: []*admissionregistrationv1.ValidatingWebhookConfiguration{validatingConfiguration()},
		},
	}
	if _, err := environment.Start(); err != nil {
		return fmt.Errorf("envtest: %w", err)
	}
	defer func() { _ = environment.Stop() }()
	e := &env{config: config, warnings: &warnings{}, operators: map[string]*running{}, answers: bufio.NewScanner(os.Stdin)}
	own := rest.CopyConfig(config)
	own.WarningHandlerWithContext = e.warnings
	if e.client, err = client.New(own, client.Options{Scheme: scheme.Scheme}); err != nil {
		return err
	}
	ctx := context.Background()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "operator-"}}
	if err := e.client.Create(ctx, namespace); err != nil {
		return err
	}
	e.namespace = namespace.Name
	// Both serve webhooks, as replicas of an operator do; only one of them is called.
	for i, name := range []string{"first", "second"} {
		options := environment.WebhookInstallOptions
		if i > 0 {
			options.LocalServingPort = 0
		}
		if err := e.start(name, namespace.Name, options); err != nil {
			return err
		}
		if i == 0 {
			if err := eventually("the first leads", func() error { return e.operators[name].leads() }); err != nil {
				return err
			}
		}
	}
	failed := 0
	for _, c := range checks {
		start := time.Now()
		err := c.run(ctx, e)
		took := time.Since(start).Round(time.Millisecond)
		if err != nil {
			failed++
			fmt.Printf("FAIL %s (%s): %v\n", c.name, took, err)
		} else {
			fmt.Printf("ok   %s (%s)\n", c.name, took)
		}
	}
	_ = e.client.Delete(ctx, namespace)
	if failed > 0 {
		return fmt.Errorf("%d of %d checks", failed, len(checks))
	}
	return nil
}

// running is an operator in this process.
type running struct {
	manager ctrl.Manager
	cancel  context.CancelFunc
	done    chan error
}

func (r *running) leads() error {
	select {
	case <-r.manager.Elected():
		return nil
	case err := <-r.done:
		return fmt.Errorf("it ended: %w", err)
	default:
		return fmt.Errorf("it does not lead")
	}
}

func (e *env) start(name, namespace string, options envtest.WebhookInstallOptions) error {
	port := options.LocalServingPort
	if port == 0 {
		port = -1
	}
	managerOptions := ctrl.Options{
		Scheme: scheme.Scheme, Metrics: metricsserver.Options{BindAddress: "0"},
		LeaderElection: true, LeaderElectionID: "fleet-operator", LeaderElectionNamespace: namespace, LeaderElectionReleaseOnCancel: true,
		LeaseDuration: ptr(15 * time.Second), RenewDeadline: ptr(10 * time.Second), RetryPeriod: ptr(500 * time.Millisecond),
	}
	if port > 0 {
		managerOptions.WebhookServer = webhook.NewServer(webhook.Options{Host: options.LocalServingHost, Port: port, CertDir: options.LocalServingCertDir})
	}
	manager, err := ctrl.NewManager(e.config, managerOptions)
	if err != nil {
		return err
	}
	if err := (&reconciler{name: name}).setUp(manager); err != nil {
		return err
	}
	if port > 0 {
		if err := serveWebhooks(manager); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{manager: manager, cancel: cancel, done: make(chan error, 1)}
	go func() { r.done <- manager.Start(ctx) }()
	e.operators[name] = r
	return nil
}

func (e *env) restart() error {
	fmt.Println("restart")
	if !e.answers.Scan() || e.answers.Text() != "restarted" {
		return fmt.Errorf("the server was not restarted: %q", e.answers.Text())
	}
	return nil
}

// warnings keeps the texts of Warning headers.
type warnings struct{ texts []string }

func (w *warnings) HandleWarningHeaderWithContext(_ context.Context, code int, _, text string) {
	if code == 299 {
		w.texts = append(w.texts, text)
	}
}

func eventually(what string, look func() error) error {
	end := time.Now().Add(40 * time.Second)
	for {
		err := look()
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s: not after 40 s: %w", what, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func ptr[T any](value T) *T { return &value }
