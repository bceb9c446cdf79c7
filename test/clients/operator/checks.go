package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var checks = []struct {
	name string
	run  func(ctx context.Context, e *env) error
}{
	{"defaulting_webhook", defaulting},
	{"owned_objects_status_and_events", owned},
	{"validating_webhook", validating},
	{"warnings_of_a_webhook", webhookWarnings},
	{"dry_run_goes_through_webhooks", dryRun},
	{"conversion_webhook", converting},
	{"conversion_that_fails", inconvertible},
	{"field_index", fieldIndex},
	{"metadata_only_watch", metadataOnly},
	{"owned_objects_are_put_right", putRight},
	{"finalizer", finalizing},
	{"through_a_restart", throughARestart},
	{"leader_election", leaderElection},
	{"webhook_that_is_down", webhookDown},
}

func (e *env) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: e.namespace, Name: name}
}

func (e *env) fleet(name string, size int32, colour string) *Fleet {
	return &Fleet{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: e.namespace}, Spec: FleetSpec{Size: size, Paint: Paint{Colour: colour}}}
}

func expect(what string, got, want any) error {
	if g, w := fmt.Sprintf("%v", got), fmt.Sprintf("%v", want); g != w {
		return fmt.Errorf("%s is %s, not %s", what, g, w)
	}
	return nil
}

func defaulting(ctx context.Context, e *env) error {
	fleet := e.fleet("plain", 0, "")
	if err := e.client.Create(ctx, fleet); err != nil {
		return err
	}
	return expect("spec", fleet.Spec, "{1 {grey}}")
}

func owned(ctx context.Context, e *env) error {
	fleet := e.fleet("owner", 2, "blue")
	if err := e.client.Create(ctx, fleet); err != nil {
		return err
	}
	if err := eventually("status", func() error {
		if err := e.client.Get(ctx, e.key("owner"), fleet); err != nil {
			return err
		}
		if err := expect("observed", fleet.Status.ObservedGeneration, fleet.Generation); err != nil {
			return err
		}
		return expect("conditions", len(fleet.Status.Conditions), 1)
	}); err != nil {
		return err
	}
	deployment := &appsv1.Deployment{}
	if err := e.client.Get(ctx, e.key("owner"), deployment); err != nil {
		return err
	}
	book := &corev1.ConfigMap{}
	if err := e.client.Get(ctx, e.key("logbook-owner"), book); err != nil {
		return err
	}
	if err := expect("owner", metav1.IsControlledBy(deployment, fleet) && metav1.IsControlledBy(book, fleet), true); err != nil {
		return err
	}
	if err := expect("replicas", *deployment.Spec.Replicas, 2); err != nil {
		return err
	}
	return eventually("event", func() error {
		list := &eventsv1.EventList{}
		if err := e.client.List(ctx, list, client.InNamespace(e.namespace)); err != nil {
			return err
		}
		for _, event := range list.Items {
			if event.Regarding.Name == "owner" && event.Note == "launched 2 ships" && event.Related.Kind == "Deployment" {
				return nil
			}
		}
		return fmt.Errorf("not among %d", len(list.Items))
	})
}

func validating(ctx context.Context, e *env) error {
	err := e.client.Create(ctx, e.fleet("huge", 11, "blue"))
	if !apierrors.IsForbidden(err) {
		return fmt.Errorf("a huge one gives %v", err)
	}
	if err := expect("its text", err, `admission webhook "rules.fleet.example.com" denied the request: a fleet of 11 is too large`); err != nil {
		return err
	}
	fleet := &Fleet{}
	if err := eventually("locked", func() error {
		if err := e.client.Get(ctx, e.key("plain"), fleet); err != nil {
			return err
		}
		fleet.Annotations = map[string]string{locked: "yes"}
		return e.client.Update(ctx, fleet)
	}); err != nil {
		return err
	}
	err = e.client.Patch(ctx, fleet.DeepCopy(), client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"paint":{"colour":"red"}}}`)))
	if !apierrors.IsForbidden(err) {
		return fmt.Errorf("new paint gives %v", err)
	}
	if err := e.client.Delete(ctx, fleet); !apierrors.IsForbidden(err) {
		return fmt.Errorf("a deletion gives %v", err)
	}
	return e.client.Patch(ctx, fleet, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"annotations":null}}`)))
}

func webhookWarnings(ctx context.Context, e *env) error {
	e.warnings.texts = nil
	if err := e.client.Create(ctx, e.fleet("large", 6, "white")); err != nil {
		return err
	}
	return expect("warned", slices.Contains(e.warnings.texts, "large fleets are dear"), true)
}

func dryRun(ctx context.Context, e *env) error {
	fleet := e.fleet("dry", 0, "")
	if err := e.client.Create(ctx, fleet, client.DryRunAll); err != nil {
		return err
	}
	if err := expect("colour", fleet.Spec.Paint.Colour, "grey"); err != nil {
		return err
	}
	if err := e.client.Get(ctx, e.key("dry"), fleet); !apierrors.IsNotFound(err) {
		return fmt.Errorf("it gives %v", err)
	}
	return nil
}

// converting: what is written in one version is read in the other; and webhooks see their own.
func converting(ctx context.Context, e *env) error {
	old := &OldFleet{ObjectMeta: metav1.ObjectMeta{Name: "old", Namespace: e.namespace, Labels: map[string]string{"kept": "yes"}}, Spec: OldFleetSpec{Ships: 3}}
	if err := e.client.Create(ctx, old); err != nil {
		return err
	}
	if err := expect("spec in v1beta1", old.Spec, "{3 grey}"); err != nil {
		return err
	}
	fleet := &Fleet{}
	if err := e.client.Get(ctx, e.key("old"), fleet); err != nil {
		return err
	}
	if err := expect("spec in v1", fleet.Spec, "{3 {grey}}"); err != nil {
		return err
	}
	if err := expect("same object", fleet.UID == old.UID && fleet.Labels["kept"] == "yes", true); err != nil {
		return err
	}
	if err := eventually("written in v1beta1", func() error {
		if err := e.client.Get(ctx, e.key("old"), old); err != nil {
			return err
		}
		old.Spec.Ships = 4
		return e.client.Update(ctx, old)
	}); err != nil {
		return err
	}
	list := &OldFleetList{}
	if err := e.client.List(ctx, list, client.InNamespace(e.namespace)); err != nil {
		return err
	}
	for _, item := range list.Items {
		if item.Name == "old" {
			if err := expect("ships in a list", item.Spec.Ships, 4); err != nil {
				return err
			}
		}
	}
	err := e.client.Create(ctx, &OldFleet{ObjectMeta: metav1.ObjectMeta{Name: "old-huge", Namespace: e.namespace}, Spec: OldFleetSpec{Ships: 50}})
	if !apierrors.IsForbidden(err) {
		return fmt.Errorf("a huge one in v1beta1 gives %v", err)
	}
	return eventually("the operator sees it", func() error {
		deployment := &appsv1.Deployment{}
		if err := e.client.Get(ctx, e.key("old"), deployment); err != nil {
			return err
		}
		return expect("replicas", *deployment.Spec.Replicas, 4)
	})
}

func inconvertible(ctx context.Context, e *env) error {
	err := e.client.Create(ctx, &OldFleet{ObjectMeta: metav1.ObjectMeta{Name: "no", Namespace: e.namespace}, Spec: OldFleetSpec{Ships: 1, Colour: "inconvertible"}})
	if err == nil || !strings.Contains(err.Error(), "nobody paints ships inconvertible") {
		return fmt.Errorf("it gives %v", err)
	}
	return nil
}

func fieldIndex(ctx context.Context, e *env) error {
	for _, name := range []string{"red-1", "red-2", "red-3"} {
		if err := e.client.Create(ctx, e.fleet(name, 1, "red")); err != nil {
			return err
		}
	}
	return eventually("all see each other", func() error {
		for _, name := range []string{"red-1", "red-2", "red-3"} {
			fleet := &Fleet{}
			if err := e.client.Get(ctx, e.key(name), fleet); err != nil {
				return err
			}
			if err := expect("same colour as "+name, fleet.Status.SameColour, 3); err != nil {
				return err
			}
		}
		return nil
	})
}

func metadataOnly(ctx context.Context, e *env) error {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "papers", Namespace: e.namespace, Labels: map[string]string{fleetLabel: "owner"}}, Data: map[string][]byte{"a": []byte("b")}}
	if err := e.client.Create(ctx, secret); err != nil {
		return err
	}
	seen := func(want int) func() error {
		return func() error {
			fleet := &Fleet{}
			if err := e.client.Get(ctx, e.key("owner"), fleet); err != nil {
				return err
			}
			return expect("secrets", fleet.Status.Secrets, want)
		}
	}
	if err := eventually("it is seen", seen(1)); err != nil {
		return err
	}
	if err := e.client.Delete(ctx, secret); err != nil {
		return err
	}
	return eventually("its end is seen", seen(0))
}

func putRight(ctx context.Context, e *env) error {
	deployment := &appsv1.Deployment{}
	if err := e.client.Get(ctx, e.key("owner"), deployment); err != nil {
		return err
	}
	uid := deployment.UID
	if err := e.client.Delete(ctx, deployment); err != nil {
		return err
	}
	if err := eventually("the Deployment is back", func() error {
		if err := e.client.Get(ctx, e.key("owner"), deployment); err != nil {
			return err
		}
		return expect("new", deployment.UID != uid, true)
	}); err != nil {
		return err
	}
	book := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "logbook-owner", Namespace: e.namespace}}
	if err := e.client.Patch(ctx, book, client.RawPatch("application/merge-patch+json", []byte(`{"data":{"colour":"pink","more":"kept"}}`))); err != nil {
		return err
	}
	return eventually("the logbook is right", func() error {
		if err := e.client.Get(ctx, client.ObjectKeyFromObject(book), book); err != nil {
			return err
		}
		return expect("data", book.Data, "map[colour:blue more:kept]")
	})
}

func finalizing(ctx context.Context, e *env) error {
	fleet := &Fleet{}
	if err := e.client.Get(ctx, e.key("large"), fleet); err != nil {
		return err
	}
	if err := e.client.Delete(ctx, fleet, client.PropagationPolicy(metav1.DeletePropagationForeground)); err != nil {
		return err
	}
	if err := eventually("it is gone", func() error {
		if err := e.client.Get(ctx, e.key("large"), fleet); !apierrors.IsNotFound(err) {
			return fmt.Errorf("it gives %v", err)
		}
		return nil
	}); err != nil {
		return err
	}
	note := &corev1.ConfigMap{}
	if err := e.client.Get(ctx, e.key("docked-large"), note); err != nil {
		return err
	}
	if err := expect("note", note.Data["size"], "6"); err != nil {
		return err
	}
	return eventually("what it owned is collected", func() error {
		for _, object := range []client.Object{&appsv1.Deployment{}, &corev1.ConfigMap{}} {
			name := "large"
			if _, is := object.(*corev1.ConfigMap); is {
				name = "logbook-large"
			}
			if err := e.client.Get(ctx, e.key(name), object); !apierrors.IsNotFound(err) {
				return fmt.Errorf("%T gives %v", object, err)
			}
		}
		return nil
	})
}

func throughARestart(ctx context.Context, e *env) error {
	if err := e.restart(); err != nil {
		return err
	}
	if err := e.client.Create(ctx, e.fleet("after", 2, "green")); err != nil {
		return err
	}
	return eventually("the operator goes on", func() error {
		deployment := &appsv1.Deployment{}
		return e.client.Get(ctx, e.key("after"), deployment)
	})
}

func leaderElection(ctx context.Context, e *env) error {
	first, second := e.operators["first"], e.operators["second"]
	leader, other, name := first, second, "second"
	if err := second.leads(); err == nil {
		leader, other, name = second, first, "first"
	} else if err := first.leads(); err != nil {
		return fmt.Errorf("nobody leads: %w", err)
	}
	// Its webhooks end with it: here the defaults are told.
	leader.cancel()
	if err := <-leader.done; err != nil {
		return fmt.Errorf("the leader ends with %w", err)
	}
	if err := eventually("the other leads", other.leads); err != nil {
		return err
	}
	fleet := &Fleet{}
	return eventually("the other works", func() error {
		if err := e.client.Get(ctx, e.key("owner"), fleet); err != nil {
			return err
		}
		return expect("by", fleet.Status.By, name)
	})
}

// webhookDown: by failure policy Fail, nothing is written without its webhooks.
func webhookDown(ctx context.Context, e *env) error {
	for _, operator := range e.operators {
		operator.cancel()
	}
	return eventually("writes are refused", func() error {
		err := e.client.Create(ctx, e.fleet("alone", 1, "blue"), client.DryRunAll)
		if err == nil || !apierrors.IsInternalError(err) || !strings.Contains(err.Error(), `failed calling webhook "defaults.fleet.example.com": failed to call webhook: Post "https://`) {
			return fmt.Errorf("it gives %v", err)
		}
		return nil
	})
}
