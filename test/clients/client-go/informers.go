package main

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"
)

var informerChecks = []check{
	{"informers_of_all_kinds_through_a_restart", informersThroughARestart},
	{"informer_of_a_custom_resource_through_a_restart", customInformerThroughARestart},
	{"watch_from_before_a_restart", watchFromBeforeARestart},
	{"continue_from_before_a_restart", continueFromBeforeARestart},
	{"watch_from_before_much_was_written", watchFromBeforeMuch},
	{"informer_behind_much_that_was_written", informerBehindMuch},
	{"informer_under_load", informerUnderLoad},
}

// listable gives every served resource that can be listed and watched.
func listable(e *env) ([]schema.GroupVersionResource, error) {
	_, lists, err := e.typed.Discovery().ServerGroupsAndResources()
	if err != nil {
		return nil, err
	}
	var found []schema.GroupVersionResource
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, r := range list.APIResources {
			verbs := strings.Join(r.Verbs, " ")
			if !strings.Contains(r.Name, "/") && strings.Contains(verbs, "list") && strings.Contains(verbs, "watch") {
				found = append(found, gv.WithResource(r.Name))
			}
		}
	}
	return found, nil
}

// A followed resource: an informer and what it told.
type followed struct {
	gvr      schema.GroupVersionResource
	informer cache.SharedIndexInformer
	// Uids that the handler was told of and not of their end.
	mu      sync.Mutex
	present map[string]bool
	deletes atomic.Int32
	unknown atomic.Int32
}

func follow(gvr schema.GroupVersionResource, informer cache.SharedIndexInformer) (*followed, error) {
	f := &followed{gvr: gvr, informer: informer, present: map[string]bool{}}
	note := func(object any, here bool) {
		if tombstone, is := object.(cache.DeletedFinalStateUnknown); is {
			object = tombstone.Obj
			f.unknown.Add(1)
		}
		accessor, err := meta.Accessor(object)
		if err != nil {
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if here {
			f.present[string(accessor.GetUID())] = true
		} else {
			delete(f.present, string(accessor.GetUID()))
			f.deletes.Add(1)
		}
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(o any) { note(o, true) }, UpdateFunc: func(_, o any) { note(o, true) }, DeleteFunc: func(o any) { note(o, false) },
	})
	return f, err
}

// same is an error unless the cache, and what handlers were told, are what the server has.
func (f *followed) same(ctx context.Context, e *env) error {
	list, err := e.metadata.Resource(f.gvr).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("%s: %w", f.gvr, err)
	}
	var want, got []string
	for _, item := range list.Items {
		want = append(want, fmt.Sprintf("%s/%s %s %s", item.Namespace, item.Name, item.UID, item.ResourceVersion))
	}
	for _, item := range f.informer.GetStore().List() {
		a, err := meta.Accessor(item)
		if err != nil {
			return err
		}
		got = append(got, fmt.Sprintf("%s/%s %s %s", a.GetNamespace(), a.GetName(), a.GetUID(), a.GetResourceVersion()))
	}
	sort.Strings(want)
	sort.Strings(got)
	if strings.Join(want, "\n") != strings.Join(got, "\n") {
		return fmt.Errorf("%s: the cache has %d objects, the server %d: %s", f.gvr, len(got), len(want), firstDifference(got, want))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return expect("objects that handlers know of "+f.gvr.String(), len(f.present), len(want))
}

func firstDifference(got, want []string) string {
	for i := range max(len(got), len(want)) {
		g, w := "nothing", "nothing"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			return fmt.Sprintf("%s, not %s", g, w)
		}
	}
	return ""
}

// informersThroughARestart: typed informers of every group, metadata informers and dynamic ones, through a kill of the
// server: afterwards each cache is what the server has, and no object was told to be gone that is not.
func informersThroughARestart(ctx context.Context, e *env, namespace string) error {
	resources, err := listable(e)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	typed := informers.NewSharedInformerFactory(e.typed, 0)
	dynamics := dynamicinformer.NewDynamicSharedInformerFactory(e.dynamic, 0)
	metadatas := metadatainformer.NewSharedInformerFactory(e.metadata, 0)
	var all []*followed
	typedCount := 0
	add := func(gvr schema.GroupVersionResource, informer cache.SharedIndexInformer) error {
		f, err := follow(gvr, informer)
		all = append(all, f)
		return err
	}
	for _, gvr := range resources {
		// They change by themselves all the time.
		if gvr.Resource == "leases" || gvr.Resource == "events" {
			continue
		}
		if informer, err := typed.ForResource(gvr); err == nil {
			typedCount++
			if err := add(gvr, informer.Informer()); err != nil {
				return err
			}
		}
		if err := add(gvr, metadatas.ForResource(gvr).Informer()); err != nil {
			return err
		}
		if gvr.Group == "apps" || gvr.Group == "apiextensions.k8s.io" || gvr.Group == "" {
			if err := add(gvr, dynamics.ForResource(gvr).Informer()); err != nil {
				return err
			}
		}
	}
	// Namespaces of earlier checks are told to be gone when they are.
	if err := within(ctx, 100*time.Second, "no namespace is ending", func() error {
		list, err := e.typed.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		for _, one := range list.Items {
			if one.DeletionTimestamp != nil {
				return fmt.Errorf("%s is", one.Name)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if typedCount < 40 {
		return fmt.Errorf("only %d typed informers", typedCount)
	}
	if err := many(ctx, e, namespace, 10); err != nil {
		return err
	}
	if _, err := e.typed.AppsV1().Deployments(namespace).Create(ctx, deployment("web", 0), metav1.CreateOptions{}); err != nil {
		return err
	}
	typed.Start(ctx.Done())
	dynamics.Start(ctx.Done())
	metadatas.Start(ctx.Done())
	for _, f := range all {
		if !cache.WaitForCacheSync(ctx.Done(), f.informer.HasSynced) {
			return fmt.Errorf("%s does not sync", f.gvr)
		}
	}
	check := func(when string) error {
		for _, f := range all {
			if err := eventually(ctx, when, func() error { return f.same(ctx, e) }); err != nil {
				return err
			}
		}
		return nil
	}
	if err := check("caches are the server's"); err != nil {
		return err
	}
	deletes := int32(0)
	for _, f := range all {
		deletes += f.deletes.Load()
	}
	if err := e.restart(); err != nil {
		return err
	}
	if err := check("caches are the server's after a restart"); err != nil {
		return err
	}
	for _, f := range all {
		deletes -= f.deletes.Load()
	}
	if err := expect("objects that were told to be gone", -deletes, 0); err != nil {
		return err
	}
	// Informers go on.
	client := e.typed.CoreV1().ConfigMaps(namespace)
	if _, err := client.Create(ctx, configMap("after", nil, nil), metav1.CreateOptions{}); err != nil {
		return err
	}
	if err := client.Delete(ctx, "m-003", metav1.DeleteOptions{}); err != nil {
		return err
	}
	return check("caches follow after a restart")
}

func customInformerThroughARestart(ctx context.Context, e *env, namespace string) error {
	const group = "informer.client-go.example.com"
	return withWidgets(ctx, e, group, func(gvr schema.GroupVersionResource) error {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		make := func(name string) error {
			object := widget(name, 1)
			object.SetAPIVersion(group + "/v1")
			_, err := e.dynamic.Resource(gvr).Namespace(namespace).Create(ctx, object, metav1.CreateOptions{})
			return err
		}
		factory := dynamicinformer.NewDynamicSharedInformerFactory(e.dynamic, 0)
		f, err := follow(gvr, factory.ForResource(gvr).Informer())
		if err != nil {
			return err
		}
		factory.Start(ctx.Done())
		return all(
			func() error { return make("one") },
			func() error { return eventually(ctx, "one is seen", func() error { return f.same(ctx, e) }) },
			e.restart,
			func() error { return make("two") },
			func() error {
				return eventually(ctx, "two is seen", func() error {
					return all(func() error { return expect("objects", len(f.informer.GetStore().List()), 2) }, func() error { return f.same(ctx, e) })
				})
			},
			func() error { return expect("deletes", f.deletes.Load(), 0) },
		)
	})
}

// watchFromBeforeARestart: history that the server does not have any more is 410 Gone, as a refusal or as an event; a
// server that still has it goes on from there. In no case is something left out.
func watchFromBeforeARestart(ctx context.Context, e *env, namespace string) error {
	client := e.typed.CoreV1().ConfigMaps(namespace)
	before, err := client.List(ctx, metav1.ListOptions{LabelSelector: "n"})
	if err != nil {
		return err
	}
	if err := many(ctx, e, namespace, 3); err != nil {
		return err
	}
	if err := e.restart(); err != nil {
		return err
	}
	return threeOrGone(ctx, e, namespace, before.ResourceVersion)
}

// much writes more than any server keeps to look back at: 12 MB in 120 versions of one object.
func much(ctx context.Context, e *env, namespace string) error {
	client := e.typed.CoreV1().ConfigMaps(namespace)
	if _, err := client.Create(ctx, configMap("much", nil, nil), metav1.CreateOptions{}); err != nil {
		return err
	}
	for i := range 120 {
		body := fmt.Sprintf(`{"data":{"a":"%d%s"}}`, i, strings.Repeat("x", 100_000))
		if _, err := client.Patch(ctx, "much", "application/merge-patch+json", []byte(body), metav1.PatchOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// watchFromBeforeMuch: the same while the server runs, when it has forgotten.
func watchFromBeforeMuch(ctx context.Context, e *env, namespace string) error {
	before, err := e.typed.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{LabelSelector: "n"})
	if err != nil {
		return err
	}
	if err := many(ctx, e, namespace, 3); err != nil {
		return err
	}
	if err := much(ctx, e, namespace); err != nil {
		return err
	}
	return threeOrGone(ctx, e, namespace, before.ResourceVersion)
}

// informerBehindMuch: an informer whose handler stands still falls behind, and sees the end all the same.
func informerBehindMuch(ctx context.Context, e *env, namespace string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	factory := informers.NewSharedInformerFactoryWithOptions(e.typed, 0, informers.WithNamespace(namespace))
	informer := factory.Core().V1().ConfigMaps().Informer()
	slow := make(chan struct{})
	var last atomic.Value
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{UpdateFunc: func(_, object any) {
		<-slow
		a, _ := meta.Accessor(object)
		if a.GetName() == "much" {
			last.Store(a.GetResourceVersion())
		}
	}}); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return fmt.Errorf("the informer does not sync")
	}
	if err := much(ctx, e, namespace); err != nil {
		return err
	}
	close(slow)
	return eventually(ctx, "the last version is seen", func() error {
		current, err := e.typed.CoreV1().ConfigMaps(namespace).Get(ctx, "much", metav1.GetOptions{})
		if err != nil {
			return err
		}
		return expect("the last that was told", last.Load(), current.ResourceVersion)
	})
}

// threeOrGone is an error unless a watch from then gives the three objects that were made since, or is told to be gone.
func threeOrGone(ctx context.Context, e *env, namespace, version string) error {
	w, err := e.typed.CoreV1().ConfigMaps(namespace).Watch(ctx, metav1.ListOptions{LabelSelector: "n", ResourceVersion: version})
	if err != nil {
		return refused("the watch", err, func(err error) bool { return apierrors.IsResourceExpired(err) || apierrors.IsGone(err) })
	}
	defer w.Stop()
	added := 0
	for {
		select {
		case event, open := <-w.ResultChan():
			switch {
			case !open:
				return fmt.Errorf("the watch ended after %d events", added)
			case event.Type == watch.Error:
				err := apierrors.FromObject(event.Object)
				return refused("the watch", err, func(err error) bool { return apierrors.IsResourceExpired(err) || apierrors.IsGone(err) })
			case event.Type == watch.Added:
				if added++; added == 3 {
					return nil
				}
			}
		case <-time.After(20 * time.Second):
			return fmt.Errorf("neither 410 nor the three events: %d came", added)
		}
	}
}

// continueFromBeforeARestart: a token that is too old is 410 with one that goes on inconsistently, else it works.
func continueFromBeforeARestart(ctx context.Context, e *env, namespace string) error {
	client := e.typed.CoreV1().ConfigMaps(namespace)
	if err := many(ctx, e, namespace, 10); err != nil {
		return err
	}
	page, err := client.List(ctx, metav1.ListOptions{LabelSelector: "n", Limit: 4})
	if err != nil {
		return err
	}
	if err := client.Delete(ctx, "m-008", metav1.DeleteOptions{}); err != nil {
		return err
	}
	if err := e.restart(); err != nil {
		return err
	}
	rest, err := client.List(ctx, metav1.ListOptions{LabelSelector: "n", Limit: 100, Continue: page.Continue})
	if err == nil {
		return expect("items of the rest", len(rest.Items), 6)
	}
	if err := refused("the token", err, apierrors.IsResourceExpired); err != nil {
		return err
	}
	status, is := err.(apierrors.APIStatus)
	if !is || status.Status().ListMeta.Continue == "" {
		return fmt.Errorf("no fresh token in %v", err)
	}
	rest, err = client.List(ctx, metav1.ListOptions{LabelSelector: "n", Limit: 100, Continue: status.Status().ListMeta.Continue})
	if err != nil {
		return err
	}
	return expect("items of the rest as it is now", len(rest.Items), 5)
}

// informerUnderLoad: 16 writers, one informer; at the end both agree, and versions of an object never went back.
func informerUnderLoad(ctx context.Context, e *env, namespace string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	factory := informers.NewSharedInformerFactoryWithOptions(e.typed, 0, informers.WithNamespace(namespace))
	informer := factory.Core().V1().ConfigMaps().Informer()
	var back atomic.Int32
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{UpdateFunc: func(old, new any) {
		o, _ := meta.Accessor(old)
		n, _ := meta.Accessor(new)
		if len(n.GetResourceVersion()) < len(o.GetResourceVersion()) || (len(n.GetResourceVersion()) == len(o.GetResourceVersion()) && n.GetResourceVersion() < o.GetResourceVersion()) {
			back.Add(1)
		}
	}}); err != nil {
		return err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return fmt.Errorf("the informer does not sync")
	}
	client := e.typed.CoreV1().ConfigMaps(namespace)
	if err := together(func(worker int) error {
		for i := range rounds {
			name := fmt.Sprintf("w%d-%d", worker, i)
			if _, err := client.Create(ctx, configMap(name, nil, map[string]string{"load": "1"}), metav1.CreateOptions{}); err != nil {
				return err
			}
			for _, value := range []string{"1", "2"} {
				if _, err := client.Patch(ctx, name, "application/merge-patch+json", []byte(`{"data":{"v":"`+value+`"}}`), metav1.PatchOptions{}); err != nil {
					return err
				}
			}
			if i%3 == 0 {
				if err := client.Delete(ctx, name, metav1.DeleteOptions{}); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if err := eventually(ctx, "the cache is the server's", func() error {
		list, err := client.List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		want := map[string]string{}
		for _, item := range list.Items {
			want[item.Name] = item.ResourceVersion
		}
		got := map[string]string{}
		for _, item := range informer.GetStore().List() {
			a, _ := meta.Accessor(item)
			got[a.GetName()] = a.GetResourceVersion()
		}
		return expect("the cache", got, want)
	}); err != nil {
		return err
	}
	return expect("versions that went back", back.Load(), 0)
}
