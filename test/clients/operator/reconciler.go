package main

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	applymeta "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

const (
	finalizer  = "fleet.example.com/dock"
	byColour   = "spec.paint.colour"
	fleetLabel = "fleet.example.com/fleet"
)

// reconciler brings each fleet its Deployment, its ConfigMap and its status.
type reconciler struct {
	client.Client
	events events.EventRecorder
	name   string
}

func (r *reconciler) setUp(mgr ctrl.Manager) error {
	r.Client = mgr.GetClient()
	r.events = mgr.GetEventRecorder("fleet")
	if err := mgr.GetFieldIndexer().IndexField(context.Background(), &Fleet{}, byColour, func(o client.Object) []string {
		return []string{o.(*Fleet).Spec.Paint.Colour}
	}); err != nil {
		return err
	}
	toFleet := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []ctrl.Request {
		name := o.GetLabels()[fleetLabel]
		if name == "" {
			return nil
		}
		return []ctrl.Request{{NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: name}}}
	})
	// All of one colour look at each other.
	sameColour := handler.EnqueueRequestsFromMapFunc(func(ctx context.Context, o client.Object) []ctrl.Request {
		var requests []ctrl.Request
		list := &FleetList{}
		if r.List(ctx, list, client.InNamespace(o.GetNamespace()), client.MatchingFields{byColour: o.(*Fleet).Spec.Paint.Colour}) == nil {
			for _, fleet := range list.Items {
				requests = append(requests, ctrl.Request{NamespacedName: client.ObjectKeyFromObject(&fleet)})
			}
		}
		return requests
	})
	skipNames := true
	return ctrl.NewControllerManagedBy(mgr).Named("fleet").For(&Fleet{}).Owns(&appsv1.Deployment{}).
		Owns(&corev1.ConfigMap{}, builder.OnlyMetadata).
		WatchesMetadata(&corev1.Secret{}, toFleet).
		Watches(&Fleet{}, sameColour, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: 4, SkipNameValidation: &skipNames}).
		Complete(r)
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	fleet := &Fleet{}
	if err := r.Get(ctx, request.NamespacedName, fleet); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !fleet.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, r.dock(ctx, fleet)
	}
	if controllerutil.AddFinalizer(fleet, finalizer) {
		return ctrl.Result{}, r.Update(ctx, fleet)
	}
	if err := r.ships(ctx, fleet); err != nil {
		return ctrl.Result{}, err
	}
	if err := r.logbook(ctx, fleet); err != nil {
		return ctrl.Result{}, err
	}
	return ctrl.Result{}, r.report(ctx, fleet)
}

// dock leaves a note of a fleet that ends, and lets it go.
func (r *reconciler) dock(ctx context.Context, fleet *Fleet) error {
	if !controllerutil.ContainsFinalizer(fleet, finalizer) {
		return nil
	}
	note := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "docked-" + fleet.Name, Namespace: fleet.Namespace}}
	if _, err := controllerutil.CreateOrPatch(ctx, r.Client, note, func() error {
		note.Data = map[string]string{"size": fmt.Sprint(fleet.Spec.Size)}
		return nil
	}); err != nil {
		return err
	}
	before := fleet.DeepCopy()
	controllerutil.RemoveFinalizer(fleet, finalizer)
	return client.IgnoreNotFound(r.Patch(ctx, fleet, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})))
}

func (r *reconciler) ships(ctx context.Context, fleet *Fleet) error {
	deployment := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: fleet.Name, Namespace: fleet.Namespace}}
	result, err := controllerutil.CreateOrUpdate(ctx, r.Client, deployment, func() error {
		labels := map[string]string{fleetLabel: fleet.Name}
		deployment.Spec.Replicas = &fleet.Spec.Size
		deployment.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
		deployment.Spec.Template.Labels = labels
		if len(deployment.Spec.Template.Spec.Containers) == 0 {
			deployment.Spec.Template.Spec.Containers = []corev1.Container{{Name: "ship"}}
		}
		deployment.Spec.Template.Spec.Containers[0].Image = "registry.example/ship:" + fleet.Spec.Paint.Colour
		return controllerutil.SetControllerReference(fleet, deployment, r.Scheme())
	})
	if result == controllerutil.OperationResultCreated {
		r.events.Eventf(fleet, deployment, corev1.EventTypeNormal, "Launched", "Launch", "launched %d ships", fleet.Spec.Size)
	}
	return err
}

// logbook is applied, not updated.
func (r *reconciler) logbook(ctx context.Context, fleet *Fleet) error {
	owner := applymeta.OwnerReference().WithAPIVersion(v1.String()).WithKind("Fleet").WithName(fleet.Name).WithUID(fleet.UID).WithController(true).WithBlockOwnerDeletion(true)
	book := applycore.ConfigMap("logbook-"+fleet.Name, fleet.Namespace).WithOwnerReferences(owner).WithData(map[string]string{"colour": fleet.Spec.Paint.Colour})
	return r.Apply(ctx, book, client.FieldOwner("fleet"), client.ForceOwnership)
}

func (r *reconciler) report(ctx context.Context, fleet *Fleet) error {
	before := fleet.DeepCopy()
	same := &FleetList{}
	if err := r.List(ctx, same, client.InNamespace(fleet.Namespace), client.MatchingFields{byColour: fleet.Spec.Paint.Colour}); err != nil {
		return err
	}
	// Only the metadata of secrets is in the cache.
	secrets := &metav1.PartialObjectMetadataList{}
	secrets.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("SecretList"))
	if err := r.List(ctx, secrets, client.InNamespace(fleet.Namespace), client.MatchingLabels{fleetLabel: fleet.Name}); err != nil {
		return err
	}
	fleet.Status.SameColour = int32(len(same.Items))
	fleet.Status.Secrets = int32(len(secrets.Items))
	fleet.Status.ObservedGeneration = fleet.Generation
	fleet.Status.By = r.name
	apimeta.SetStatusCondition(&fleet.Status.Conditions, metav1.Condition{Type: "Ready", Status: metav1.ConditionTrue, Reason: "Launched", ObservedGeneration: fleet.Generation})
	if fmt.Sprint(before.Status) == fmt.Sprint(fleet.Status) {
		return nil
	}
	return client.IgnoreNotFound(r.Status().Patch(ctx, fleet, client.MergeFrom(before)))
}
