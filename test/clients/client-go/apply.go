package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	applyapps "k8s.io/client-go/applyconfigurations/apps/v1"
	applycore "k8s.io/client-go/applyconfigurations/core/v1"
	applymeta "k8s.io/client-go/applyconfigurations/meta/v1"
	"k8s.io/client-go/util/retry"
)

var applyChecks = []check{
	{"apply_typed", applyTyped},
	{"apply_conflicts_and_force", applyConflictsAndForce},
	{"apply_extract_and_change", applyExtractAndChange},
	{"apply_status", applyStatus},
	{"apply_dynamic", applyDynamic},
}

func deploymentApply(namespace string) *applyapps.DeploymentApplyConfiguration {
	labels := map[string]string{"app": "web"}
	return applyapps.Deployment("web", namespace).WithSpec(applyapps.DeploymentSpec().WithReplicas(2).
		WithSelector(applymeta.LabelSelector().WithMatchLabels(labels)).
		WithTemplate(applycore.PodTemplateSpec().WithLabels(labels).WithSpec(applycore.PodSpec().WithContainers(
			applycore.Container().WithName("main").WithImage("app:1").WithPorts(
				applycore.ContainerPort().WithContainerPort(80), applycore.ContainerPort().WithContainerPort(53).WithProtocol(corev1.ProtocolUDP))))))
}

func applyTyped(ctx context.Context, e *env, namespace string) error {
	client := e.typed.AppsV1().Deployments(namespace)
	made, err := client.Apply(ctx, deploymentApply(namespace), metav1.ApplyOptions{FieldManager: "one"})
	if err != nil {
		return err
	}
	again, err := client.Apply(ctx, deploymentApply(namespace), metav1.ApplyOptions{FieldManager: "one"})
	if err != nil {
		return err
	}
	if err := all(
		func() error { return expect("managers", managers(made.ManagedFields), "one/Apply") },
		func() error { return expect("spec after the same again", again.Generation, made.Generation) },
	); err != nil {
		return err
	}
	fewer := deploymentApply(namespace)
	fewer.Spec.Template.Spec.Containers[0].Ports = fewer.Spec.Template.Spec.Containers[0].Ports[:1]
	fewer.Spec.Replicas = nil
	reduced, err := client.Apply(ctx, fewer, metav1.ApplyOptions{FieldManager: "one"})
	if err != nil {
		return err
	}
	return all(
		func() error { return expect("ports", len(reduced.Spec.Template.Spec.Containers[0].Ports), 1) },
		func() error { return expect("replicas by default", *reduced.Spec.Replicas, 1) },
	)
}

func applyConflictsAndForce(ctx context.Context, e *env, namespace string) error {
	client := e.typed.AppsV1().Deployments(namespace)
	if _, err := client.Apply(ctx, deploymentApply(namespace), metav1.ApplyOptions{FieldManager: "one"}); err != nil {
		return err
	}
	other := applyapps.Deployment("web", namespace).WithSpec(applyapps.DeploymentSpec().WithReplicas(5))
	_, err := client.Apply(ctx, other, metav1.ApplyOptions{FieldManager: "two"})
	if err := all(
		func() error { return refused("another's field", err, apierrors.IsConflict) },
		func() error {
			return expect("a cause", apierrors.HasStatusCause(err, metav1.CauseTypeFieldManagerConflict), true)
		},
		func() error {
			return expect("its text", strings.Contains(err.Error(), `conflict with "one": .spec.replicas`), true)
		},
	); err != nil {
		return err
	}
	taken, err := client.Apply(ctx, other, metav1.ApplyOptions{FieldManager: "two", Force: true})
	if err != nil {
		return err
	}
	if err := expect("replicas", *taken.Spec.Replicas, 5); err != nil {
		return err
	}
	// What "one" applied is not its own any more.
	mine, err := applyapps.ExtractDeployment(taken, "one")
	if err != nil {
		return err
	}
	if err := expect("replicas of one", mine.Spec.Replicas == nil, true); err != nil {
		return err
	}
	// An update is an owner too.
	if err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		current, err := client.Get(ctx, "web", metav1.GetOptions{})
		if err != nil {
			return err
		}
		current.Spec.Paused = true
		_, err = client.Update(ctx, current, metav1.UpdateOptions{FieldManager: "three"})
		return err
	}); err != nil {
		return err
	}
	_, err = client.Apply(ctx, applyapps.Deployment("web", namespace).WithSpec(applyapps.DeploymentSpec().WithPaused(false)), metav1.ApplyOptions{FieldManager: "two"})
	if err := refused("what an update set", err, apierrors.IsConflict); err != nil {
		return err
	}
	return expect("its text", strings.Contains(err.Error(), `conflict with "three" using apps/v1`), true)
}

// applyExtractAndChange: what controllers do: read, extract what is mine, change it, apply.
func applyExtractAndChange(ctx context.Context, e *env, namespace string) error {
	client := e.typed.AppsV1().Deployments(namespace)
	if _, err := client.Apply(ctx, deploymentApply(namespace), metav1.ApplyOptions{FieldManager: "controller"}); err != nil {
		return err
	}
	if _, err := client.Patch(ctx, "web", "application/merge-patch+json", []byte(`{"metadata":{"annotations":{"by":"another"}}}`), metav1.PatchOptions{FieldManager: "another"}); err != nil {
		return err
	}
	current, err := client.Get(ctx, "web", metav1.GetOptions{})
	if err != nil {
		return err
	}
	mine, err := applyapps.ExtractDeployment(current, "controller")
	if err != nil {
		return err
	}
	if err := all(
		func() error { return expect("annotations of mine", len(mine.Annotations), 0) },
		func() error { return expect("image of mine", *mine.Spec.Template.Spec.Containers[0].Image, "app:1") },
		func() error { return expect("ports of mine", len(mine.Spec.Template.Spec.Containers[0].Ports), 2) },
	); err != nil {
		return err
	}
	mine.Spec.Template.Spec.Containers[0].WithImage("app:2")
	changed, err := client.Apply(ctx, mine, metav1.ApplyOptions{FieldManager: "controller"})
	if err != nil {
		return err
	}
	return all(
		func() error { return expect("image", changed.Spec.Template.Spec.Containers[0].Image, "app:2") },
		func() error { return expect("annotation", changed.Annotations["by"], "another") },
		func() error {
			return expect("managers", managers(changed.ManagedFields), "another/Update controller/Apply")
		},
	)
}

func applyStatus(ctx context.Context, e *env, namespace string) error {
	client := e.typed.AppsV1().StatefulSets(namespace)
	labels := map[string]string{"a": "b"}
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "set"}, Spec: appsv1.StatefulSetSpec{
		Replicas: ptr(int32(0)), ServiceName: "set", Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: deployment("x", 1).Spec.Template.Spec},
	}}
	if _, err := client.Create(ctx, set, metav1.CreateOptions{}); err != nil {
		return err
	}
	condition := applyapps.StatefulSetCondition().WithType("Checked").WithStatus(corev1.ConditionTrue).WithReason("Because")
	applied, err := client.ApplyStatus(ctx, applyapps.StatefulSet("set", namespace).WithStatus(applyapps.StatefulSetStatus().WithReplicas(0).WithConditions(condition)),
		metav1.ApplyOptions{FieldManager: "checker", Force: true})
	if err != nil {
		return err
	}
	mine, err := applyapps.ExtractStatefulSetStatus(applied, "checker")
	if err != nil {
		return err
	}
	return all(
		func() error { return expect("conditions", len(applied.Status.Conditions), 1) },
		func() error { return expect("extracted", *mine.Status.Conditions[0].Reason, "Because") },
		func() error { return expect("spec of mine", mine.Spec == nil, true) },
	)
}

func applyDynamic(ctx context.Context, e *env, namespace string) error {
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "d", "namespace": namespace}, "data": map[string]any{"k": "v"},
	}}
	client := e.dynamic.Resource(configMaps).Namespace(namespace)
	if _, err := client.Apply(ctx, "d", object, metav1.ApplyOptions{FieldManager: "one"}); err != nil {
		return err
	}
	object.Object["data"] = map[string]any{"l": "w"}
	changed, err := client.Apply(ctx, "d", object, metav1.ApplyOptions{FieldManager: "one"})
	if err != nil {
		return err
	}
	return expect("data", changed.Object["data"], map[string]any{"l": "w"})
}

// managers names those who own something and are not the server's own controllers, in order of their names.
func managers(entries []metav1.ManagedFieldsEntry) string {
	var names []string
	for _, entry := range entries {
		if slices.Contains([]string{"one", "another", "controller"}, entry.Manager) {
			names = append(names, fmt.Sprintf("%s/%s", entry.Manager, entry.Operation))
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
