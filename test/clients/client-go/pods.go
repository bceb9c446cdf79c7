package main

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

var podChecks = []check{
	{"bind_and_status_of_a_pod", bindAndStatus},
	{"eviction", eviction},
	{"ephemeral_containers", ephemeralContainers},
	{"namespace_is_emptied", namespaceIsEmptied},
}

func barePod(name string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"app": "bare"}},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken: ptr(false), TerminationGracePeriodSeconds: ptr(int64(0)),
			Containers: []corev1.Container{{Name: "main", Image: "registry.example/app:1"}},
		},
	}
}

func running(ctx context.Context, e *env, namespace, name string) error {
	client := e.typed.CoreV1().Pods(namespace)
	pod, err := client.Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	pod.Status.Phase = corev1.PodRunning
	pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()}}
	_, err = client.UpdateStatus(ctx, pod, metav1.UpdateOptions{})
	return err
}

// bindAndStatus: what a scheduler and a kubelet do.
func bindAndStatus(ctx context.Context, e *env, namespace string) error {
	client := e.typed.CoreV1().Pods(namespace)
	pod := barePod("p")
	pod.Spec.SchedulerName = "nobody"
	made, err := client.Create(ctx, pod, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	binding := &corev1.Binding{ObjectMeta: metav1.ObjectMeta{Name: "p", UID: made.UID}, Target: corev1.ObjectReference{Kind: "Node", Name: "node-of-nobody"}}
	if err := client.Bind(ctx, binding, metav1.CreateOptions{}); err != nil {
		return err
	}
	if err := refused("bind again", client.Bind(ctx, binding, metav1.CreateOptions{}), apierrors.IsConflict); err != nil {
		return err
	}
	if err := running(ctx, e, namespace, "p"); err != nil {
		return err
	}
	bound, err := client.Get(ctx, "p", metav1.GetOptions{})
	if err != nil {
		return err
	}
	bound.Spec.Containers[0].Image = "registry.example/app:2"
	bound, err = client.Update(ctx, bound, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	bound.Spec.Hostname = "other"
	_, err = client.Update(ctx, bound, metav1.UpdateOptions{})
	return all(
		func() error { return expect("node", bound.Spec.NodeName, "node-of-nobody") },
		func() error { return expect("phase", bound.Status.Phase, corev1.PodRunning) },
		func() error { return refused("what must not change", err, apierrors.IsInvalid) },
	)
}

// eviction honours a disruption budget whose status says that nobody may go; the refusal says when to ask again.
func eviction(ctx context.Context, e *env, namespace string) error {
	budgets := e.typed.PolicyV1().PodDisruptionBudgets(namespace)
	if _, err := budgets.Create(ctx, &policyv1.PodDisruptionBudget{ObjectMeta: metav1.ObjectMeta{Name: "keep"}, Spec: policyv1.PodDisruptionBudgetSpec{
		MinAvailable: ptr(intstr.FromInt32(1)), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "bare"}},
	}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	for _, name := range []string{"a", "b"} {
		pod := barePod(name)
		pod.Spec.NodeName = "node-of-nobody"
		if _, err := e.typed.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	if err := running(ctx, e, namespace, "a"); err != nil {
		return err
	}
	if err := eventually(ctx, "the budget counts one healthy pod", func() error {
		budget, err := budgets.Get(ctx, "keep", metav1.GetOptions{})
		if err != nil {
			return err
		}
		return all(
			func() error { return expect("healthy", budget.Status.CurrentHealthy, 1) },
			func() error { return expect("observed", budget.Status.ObservedGeneration, budget.Generation) },
		)
	}); err != nil {
		return err
	}
	evict := func(name string) error {
		return e.typed.CoreV1().Pods(namespace).EvictV1(ctx, &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace}})
	}
	// The client would itself wait and try again: the raw answer is asked for.
	raw := e.typed.CoreV1().RESTClient().Post().Namespace(namespace).Resource("pods").Name("a").SubResource("eviction").MaxRetries(0).
		Body(&policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: namespace}}).Do(ctx).Error()
	if err := all(
		func() error { return refused("evict the last healthy one", raw, apierrors.IsTooManyRequests) },
		func() error {
			return expect("a cause", apierrors.HasStatusCause(raw, policyv1.DisruptionBudgetCause), true)
		},
	); err != nil {
		return err
	}
	if err := running(ctx, e, namespace, "b"); err != nil {
		return err
	}
	return all(
		func() error {
			return eventually(ctx, "one may go", func() error {
				budget, err := budgets.Get(ctx, "keep", metav1.GetOptions{})
				if err != nil {
					return err
				}
				return expect("allowed", budget.Status.DisruptionsAllowed, 1)
			})
		},
		func() error { return evict("a") },
		func() error {
			pod, err := e.typed.CoreV1().Pods(namespace).Get(ctx, "a", metav1.GetOptions{})
			if apierrors.IsNotFound(err) {
				return nil
			}
			if err != nil {
				return err
			}
			return expect("it is going", pod.DeletionTimestamp != nil, true)
		},
		func() error { return refused("evict nobody", evict("nobody"), apierrors.IsNotFound) },
	)
}

func ephemeralContainers(ctx context.Context, e *env, namespace string) error {
	client := e.typed.CoreV1().Pods(namespace)
	pod := barePod("p")
	pod.Spec.SchedulerName = "nobody"
	made, err := client.Create(ctx, pod, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	made.Spec.EphemeralContainers = []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug", Image: "busybox"}}}
	updated, err := client.UpdateEphemeralContainers(ctx, "p", made, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	return expect("ephemeral containers", len(updated.Spec.EphemeralContainers), 1)
}

// namespaceIsEmptied: deletion of a namespace takes what is in it, and finalizers hold it.
func namespaceIsEmptied(ctx context.Context, e *env, namespace string) error {
	inner := namespace + "-inner"
	if _, err := e.typed.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: inner}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	held := configMap("held", nil, nil)
	held.Finalizers = []string{"example.com/hold"}
	held, err := e.typed.CoreV1().ConfigMaps(inner).Create(ctx, held, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if err := many(ctx, e, inner, 5); err != nil {
		return err
	}
	if err := e.typed.CoreV1().Namespaces().Delete(ctx, inner, metav1.DeleteOptions{}); err != nil {
		return err
	}
	_, err = e.typed.CoreV1().ConfigMaps(inner).Create(ctx, configMap("late", nil, nil), metav1.CreateOptions{})
	if err := all(
		func() error { return refused("create while it ends", err, apierrors.IsForbidden) },
		func() error {
			return expect("a cause", apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause), true)
		},
		func() error {
			return within(ctx, time.Minute, "only the held one is left", func() error {
				list, err := e.typed.CoreV1().ConfigMaps(inner).List(ctx, metav1.ListOptions{})
				if err != nil {
					return err
				}
				return expect("left", len(list.Items), 1)
			})
		},
	); err != nil {
		return err
	}
	if held, err = e.typed.CoreV1().ConfigMaps(inner).Get(ctx, "held", metav1.GetOptions{}); err != nil {
		return err
	}
	held.Finalizers = nil
	if _, err := e.typed.CoreV1().ConfigMaps(inner).Update(ctx, held, metav1.UpdateOptions{}); err != nil {
		return err
	}
	return within(ctx, time.Minute, "the namespace is gone", func() error {
		_, err := e.typed.CoreV1().Namespaces().Get(ctx, inner, metav1.GetOptions{})
		return refused("get", err, apierrors.IsNotFound)
	})
}
