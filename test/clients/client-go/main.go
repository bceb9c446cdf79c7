// Command client-go is a client of a Kubernetes API server that uses what operators and controllers use of client-go:
// each check does something, and looks at what the server made of it. Any server that is Kubernetes passes all of them.
//
//	client-go -kubeconfig FILE [-run REGEXP] [-list]
//
// It prints one line for each check, and ends with 1 when one failed. A check that needs the server to be killed and
// started again writes the line "restart" to standard output and waits for the line "restarted" on standard input.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// env is what every check gets.
type env struct {
	config     *rest.Config
	typed      kubernetes.Interface
	dynamic    dynamic.Interface
	metadata   metadata.Interface
	extensions apiextensions.Interface
	wire       *wire
	answers    *bufio.Scanner
}

// A check proves one thing in a namespace of its own. It returns what is wrong.
type check struct {
	name string
	run  func(ctx context.Context, e *env, namespace string) error
}

var checks = [][]check{
	crudChecks, errorChecks, listChecks, patchChecks, applyChecks, conflictChecks, discoveryChecks, scaleChecks,
	identityChecks, podChecks, eventChecks, electionChecks, informerChecks,
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "the server, as its admin")
	run := flag.String("run", ".", "only checks whose names match")
	list := flag.Bool("list", false, "print the names of all checks")
	flag.Parse()
	wanted := regexp.MustCompile(*run)
	if *list {
		for _, group := range checks {
			for _, c := range group {
				fmt.Println(c.name)
			}
		}
		return
	}
	e, err := newEnv(*kubeconfig)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	failed, ran := 0, 0
	for _, group := range checks {
		for _, c := range group {
			if !wanted.MatchString(c.name) {
				continue
			}
			ran++
			start := time.Now()
			err := one(e, c)
			took := time.Since(start).Round(time.Millisecond)
			if err != nil {
				failed++
				fmt.Printf("FAIL %s (%s): %v\n", c.name, took, err)
			} else {
				fmt.Printf("ok   %s (%s)\n", c.name, took)
			}
		}
	}
	fmt.Printf("%d checks, %d failed; %s\n", ran, failed, e.wire)
	if failed > 0 || ran == 0 {
		os.Exit(1)
	}
}

func one(e *env, c check) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "check-" + strings.ReplaceAll(c.name, "_", "-") + "-"}}
	namespace, err = e.typed.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("create a namespace: %w", err)
	}
	defer func() {
		_ = e.typed.CoreV1().Namespaces().Delete(context.Background(), namespace.Name, metav1.DeleteOptions{})
	}()
	// Pods are refused before. A controller manager comes back to a server that was killed when its reflectors' backoff ends.
	if err := within(ctx, 90*time.Second, "the default service account", func() error {
		_, err := e.typed.CoreV1().ServiceAccounts(namespace.Name).Get(ctx, "default", metav1.GetOptions{})
		return err
	}); err != nil {
		return err
	}
	return c.run(ctx, e, namespace.Name)
}

func newEnv(kubeconfig string) (*env, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	w := &wire{bodies: map[string]int{}}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return counted{w, next} })
	e := &env{config: config, wire: w, answers: bufio.NewScanner(os.Stdin)}
	if e.typed, err = kubernetes.NewForConfig(config); err != nil {
		return nil, err
	}
	if e.dynamic, err = dynamic.NewForConfig(config); err != nil {
		return nil, err
	}
	if e.metadata, err = metadata.NewForConfig(config); err != nil {
		return nil, err
	}
	e.extensions, err = apiextensions.NewForConfig(config)
	return e, err
}

// restart has the server killed and started again on the same address with the same state.
func (e *env) restart() error {
	fmt.Println("restart")
	if !e.answers.Scan() || e.answers.Text() != "restarted" {
		return fmt.Errorf("the server was not restarted: %q", e.answers.Text())
	}
	return nil
}

// wire counts request bodies by media type: it shows that protobuf was really spoken.
type wire struct {
	mu     sync.Mutex
	bodies map[string]int
	// Answers that said to come back later.
	later int
}

type counted struct {
	wire *wire
	next http.RoundTripper
}

func (c counted) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		c.wire.mu.Lock()
		c.wire.bodies[request.Header.Get("Content-Type")]++
		c.wire.mu.Unlock()
	}
	response, err := c.next.RoundTrip(request)
	if err == nil && response.StatusCode == http.StatusTooManyRequests {
		c.wire.mu.Lock()
		c.wire.later++
		c.wire.mu.Unlock()
	}
	return response, err
}

func (w *wire) count(mediaType string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.bodies[mediaType]
}

func (w *wire) String() string {
	return fmt.Sprintf("%d answers 429; request bodies: %d protobuf, %d JSON, %d apply", w.later, w.count("application/vnd.kubernetes.protobuf"),
		w.count("application/json"), w.count("application/apply-patch+yaml"))
}

// eventually waits until look finds nothing wrong any more.
func eventually(ctx context.Context, what string, look func() error) error {
	return within(ctx, 30*time.Second, what, look)
}

func within(ctx context.Context, limit time.Duration, what string, look func() error) error {
	end := time.Now().Add(limit)
	for {
		err := look()
		if err == nil {
			return nil
		}
		if time.Now().After(end) || ctx.Err() != nil {
			return fmt.Errorf("%s: not after %s: %w", what, limit, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// all gives the first error.
func all(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// expect is an error unless the two are equal in print.
func expect(what string, got, want any) error {
	if g, w := fmt.Sprintf("%v", got), fmt.Sprintf("%v", want); g != w {
		return fmt.Errorf("%s is %s, not %s", what, g, w)
	}
	return nil
}

// refused is an error unless the server said no in the expected way.
func refused(what string, err error, is func(error) bool) error {
	if err == nil {
		return fmt.Errorf("%s: was accepted", what)
	}
	if !is(err) {
		return fmt.Errorf("%s: refused as %s (%v)", what, apierrors.ReasonForError(err), err)
	}
	return nil
}

func ptr[T any](value T) *T { return &value }
