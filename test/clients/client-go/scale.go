package main

import (
	"context"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
)

var scaleChecks = []check{
	{"scale_typed", scaleTyped},
	{"scale_client_on_all", scaleClientOnAll},
}

func scaleTyped(ctx context.Context, e *env, namespace string) error {
	client := e.typed.AppsV1().Deployments(namespace)
	if _, err := client.Create(ctx, deployment("web", 1), metav1.CreateOptions{}); err != nil {
		return err
	}
	current, err := client.GetScale(ctx, "web", metav1.GetOptions{})
	if err != nil {
		return err
	}
	if err := expect("selector", current.Status.Selector, "app=web"); err != nil {
		return err
	}
	stale := current.DeepCopy()
	stale.ResourceVersion = "1"
	_, err = client.UpdateScale(ctx, "web", stale, metav1.UpdateOptions{})
	if err := refused("a stale scale", err, apierrors.IsConflict); err != nil {
		return err
	}
	_, err = client.UpdateScale(ctx, "web", &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: namespace}, Spec: autoscalingv1.ScaleSpec{Replicas: -1}}, metav1.UpdateOptions{})
	if err := refused("minus one", err, apierrors.IsInvalid); err != nil {
		return err
	}
	updated, err := client.UpdateScale(ctx, "web", &autoscalingv1.Scale{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: namespace}, Spec: autoscalingv1.ScaleSpec{Replicas: 0}}, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	return expect("replicas", updated.Spec.Replicas, 0)
}

// scaleClientOnAll: the polymorphic client of the autoscaler and of `kubectl scale`.
func scaleClientOnAll(ctx context.Context, e *env, namespace string) error {
	const group = "scale.client-go.example.com"
	if _, err := e.typed.AppsV1().Deployments(namespace).Create(ctx, deployment("one", 1), metav1.CreateOptions{}); err != nil {
		return err
	}
	return withWidgets(ctx, e, group, func(gvr schema.GroupVersionResource) error {
		object := widget("one", 2)
		object.SetAPIVersion(group + "/v1")
		if _, err := e.dynamic.Resource(gvr).Namespace(namespace).Create(ctx, object, metav1.CreateOptions{}); err != nil {
			return err
		}
		cached := memory.NewMemCacheClient(e.typed.Discovery())
		mapper := restmapper.NewDeferredDiscoveryRESTMapper(cached)
		client, err := scale.NewForConfig(e.config, mapper, dynamic.LegacyAPIPathResolverFunc, scale.NewDiscoveryScaleKindResolver(e.typed.Discovery()))
		if err != nil {
			return err
		}
		for _, resource := range []schema.GroupVersionResource{deployments, gvr} {
			scales := client.Scales(namespace)
			var current *autoscalingv1Scale
			if err := eventually(ctx, "scale of "+resource.Resource, func() error {
				read, err := scales.Get(ctx, resource.GroupResource(), "one", metav1.GetOptions{})
				if err != nil {
					mapper.Reset()
					return err
				}
				current = &autoscalingv1Scale{read.Spec.Replicas, read.ResourceVersion}
				read.Spec.Replicas = 4
				updated, err := scales.Update(ctx, resource.GroupResource(), read, metav1.UpdateOptions{})
				if err != nil {
					return err
				}
				return expect("replicas after an update", updated.Spec.Replicas, 4)
			}); err != nil {
				return err
			}
			if err := expect("it had a version", current.version != "", true); err != nil {
				return err
			}
			patched, err := scales.Patch(ctx, resource, "one", types.MergePatchType, []byte(`{"spec":{"replicas":3}}`), metav1.PatchOptions{})
			if err != nil {
				return err
			}
			if err := expect("replicas after a patch", patched.Spec.Replicas, 3); err != nil {
				return err
			}
		}
		return nil
	})
}

type autoscalingv1Scale struct {
	replicas int32
	version  string
}
