package main

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/retry"
)

var (
	configMaps  = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
)

var crudChecks = []check{
	{"typed_protobuf", typedProtobuf},
	{"typed_json", typedJSON},
	{"dynamic", dynamicClient},
	{"status_subresource", statusSubresource},
	{"dry_run", dryRun},
	{"finalizers_and_preconditions", finalizersAndPreconditions},
	{"generate_name", generateName},
	{"watch_follows_writes", watchFollowsWrites},
}

func configMap(name string, data map[string]string, labels map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, Data: data}
}

func deployment(name string, replicas int32) *appsv1.Deployment {
	labels := map[string]string{"app": name}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Strategy: appsv1.DeploymentStrategy{RollingUpdate: &appsv1.RollingUpdateDeployment{MaxSurge: ptr(intstr.FromString("50%"))}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec: corev1.PodSpec{Containers: []corev1.Container{{
					Name: "main", Image: "registry.example/app:1",
					Ports:     []corev1.ContainerPort{{Name: "http", ContainerPort: 8080}},
					Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{"cpu": resource.MustParse("1500m"), "memory": resource.MustParse("64Mi")}},
					Env:       []corev1.EnvVar{{Name: "NODE", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "spec.nodeName"}}}},
				}}},
			},
		},
	}
}

// typedProtobuf: typed clients send protobuf bodies; every field arrives, defaults come back.
func typedProtobuf(ctx context.Context, e *env, namespace string) error {
	before := e.wire.count("application/vnd.kubernetes.protobuf")
	client := e.typed.AppsV1().Deployments(namespace)
	made, err := client.Create(ctx, deployment("web", 2), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	container := made.Spec.Template.Spec.Containers[0]
	if err := all(
		func() error { return expect("replicas", *made.Spec.Replicas, 2) },
		func() error { return expect("maxSurge", made.Spec.Strategy.RollingUpdate.MaxSurge.String(), "50%") },
		func() error {
			return expect("maxUnavailable", made.Spec.Strategy.RollingUpdate.MaxUnavailable.String(), "25%")
		},
		func() error { return expect("cpu", container.Resources.Requests.Cpu().MilliValue(), 1500) },
		func() error { return expect("memory", container.Resources.Requests.Memory().Value(), 64<<20) },
		func() error { return expect("pull policy", container.ImagePullPolicy, corev1.PullIfNotPresent) },
		func() error { return expect("env", container.Env[0].ValueFrom.FieldRef.APIVersion, "v1") },
		func() error { return expect("generation", made.Generation, 1) },
		func() error { return expect("a time", time.Since(made.CreationTimestamp.Time) < time.Minute, true) },
	); err != nil {
		return err
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "bytes"}, Data: map[string][]byte{"b": {0, 1, 254, 255}}, StringData: map[string]string{"s": "text"}}
	if _, err := e.typed.CoreV1().Secrets(namespace).Create(ctx, secret, metav1.CreateOptions{}); err != nil {
		return err
	}
	read, err := e.typed.CoreV1().Secrets(namespace).Get(ctx, "bytes", metav1.GetOptions{})
	if err != nil {
		return err
	}
	return all(
		func() error { return expect("bytes", read.Data["b"], []byte{0, 1, 254, 255}) },
		func() error { return expect("stringData", string(read.Data["s"]), "text") },
		func() error {
			return expect("protobuf bodies", e.wire.count("application/vnd.kubernetes.protobuf")-before, 2)
		},
	)
}

// typedJSON: the same client told to speak JSON.
func typedJSON(ctx context.Context, e *env, namespace string) error {
	config := rest.CopyConfig(e.config)
	config.ContentType, config.AcceptContentTypes = "application/json", "application/json"
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	made, err := client.CoreV1().ConfigMaps(namespace).Create(ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "json"}, BinaryData: map[string][]byte{"b": {255, 0}}, Immutable: ptr(true),
	}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if err := expect("binary data", made.BinaryData["b"], []byte{255, 0}); err != nil {
		return err
	}
	made.BinaryData["b"] = []byte{1}
	_, err = client.CoreV1().ConfigMaps(namespace).Update(ctx, made, metav1.UpdateOptions{})
	return refused("a change of what is immutable", err, apierrors.IsInvalid)
}

func dynamicClient(ctx context.Context, e *env, namespace string) error {
	client := e.dynamic.Resource(deployments).Namespace(namespace)
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": map[string]any{"name": "web"},
		"spec": map[string]any{
			"selector": map[string]any{"matchLabels": map[string]any{"a": "b"}},
			"template": map[string]any{
				"metadata": map[string]any{"labels": map[string]any{"a": "b"}},
				"spec":     map[string]any{"containers": []any{map[string]any{"name": "c", "image": "i"}}},
			},
		},
	}}
	made, err := client.Create(ctx, object, metav1.CreateOptions{FieldValidation: "Strict"})
	if err != nil {
		return err
	}
	replicas, _, _ := unstructured.NestedInt64(made.Object, "spec", "replicas")
	if err := expect("replicas", replicas, 1); err != nil {
		return err
	}
	// Controllers write to it at the same time.
	var updated *unstructured.Unstructured
	if err := retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		current, err := client.Get(ctx, "web", metav1.GetOptions{})
		if err != nil {
			return err
		}
		if err := unstructured.SetNestedField(current.Object, int64(3), "spec", "replicas"); err != nil {
			return err
		}
		updated, err = client.Update(ctx, current, metav1.UpdateOptions{})
		return err
	}); err != nil {
		return err
	}
	if err := expect("generation", updated.GetGeneration(), 2); err != nil {
		return err
	}
	unknown := object.DeepCopy()
	unknown.SetName("unknown")
	_ = unstructured.SetNestedField(unknown.Object, "x", "spec", "unknownField")
	_, err = client.Create(ctx, unknown, metav1.CreateOptions{FieldValidation: "Strict"})
	if err := refused("an unknown field", err, apierrors.IsBadRequest); err != nil {
		return err
	}
	list, err := client.List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	if err := all(
		func() error { return expect("items", len(list.Items), 1) },
		func() error { return expect("kind of an item", list.Items[0].GetKind(), "Deployment") },
		func() error { return expect("kind of the list", list.GetKind(), "DeploymentList") },
	); err != nil {
		return err
	}
	return client.Delete(ctx, "web", metav1.DeleteOptions{PropagationPolicy: ptr(metav1.DeletePropagationBackground)})
}

// statusSubresource: the main resource keeps its status, the status its spec.
func statusSubresource(ctx context.Context, e *env, namespace string) error {
	client := e.typed.CoreV1().PersistentVolumeClaims(namespace)
	claim := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: "data"},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}, StorageClassName: ptr("none"),
			Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{"storage": resource.MustParse("1Gi")}},
		},
		Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimLost},
	}
	made, err := client.Create(ctx, claim, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	if err := expect("phase of a new claim", made.Status.Phase, corev1.ClaimPending); err != nil {
		return err
	}
	made.Status.Conditions = []corev1.PersistentVolumeClaimCondition{{Type: "Resizing", Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now()}}
	made.Spec.VolumeName = "volume"
	updated, err := client.UpdateStatus(ctx, made, metav1.UpdateOptions{})
	if err != nil {
		return err
	}
	return all(
		func() error { return expect("conditions", len(updated.Status.Conditions), 1) },
		func() error { return expect("spec", updated.Spec.VolumeName, "") },
		func() error { return expect("generation", updated.Generation, made.Generation) },
	)
}

func dryRun(ctx context.Context, e *env, namespace string) error {
	client := e.typed.CoreV1().ConfigMaps(namespace)
	made, err := client.Create(ctx, configMap("dry", nil, nil), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	if err != nil {
		return err
	}
	if made.UID == "" {
		return fmt.Errorf("a dry run gives no uid")
	}
	_, err = client.Get(ctx, "dry", metav1.GetOptions{})
	return refused("read after a dry run", err, apierrors.IsNotFound)
}

func finalizersAndPreconditions(ctx context.Context, e *env, namespace string) error {
	client := e.typed.CoreV1().ConfigMaps(namespace)
	object := configMap("kept", nil, nil)
	object.Finalizers = []string{"example.com/hold"}
	made, err := client.Create(ctx, object, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	err = client.Delete(ctx, "kept", *metav1.NewPreconditionDeleteOptions("00000000-0000-0000-0000-000000000000"))
	if err := refused("delete with another uid", err, apierrors.IsConflict); err != nil {
		return err
	}
	err = client.Delete(ctx, "kept", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &made.UID, ResourceVersion: &made.ResourceVersion}})
	if err != nil {
		return err
	}
	held, err := client.Get(ctx, "kept", metav1.GetOptions{})
	if err != nil {
		return err
	}
	if held.DeletionTimestamp == nil {
		return fmt.Errorf("no deletionTimestamp while a finalizer holds")
	}
	held.Finalizers = append(held.Finalizers, "example.com/late")
	_, err = client.Update(ctx, held, metav1.UpdateOptions{})
	if err := refused("a new finalizer while it is deleted", err, apierrors.IsInvalid); err != nil {
		return err
	}
	held.Finalizers = nil
	if _, err = client.Update(ctx, held, metav1.UpdateOptions{}); err != nil {
		return err
	}
	_, err = client.Get(ctx, "kept", metav1.GetOptions{})
	return refused("read after the last finalizer", err, apierrors.IsNotFound)
}

func generateName(ctx context.Context, e *env, namespace string) error {
	names := map[string]bool{}
	for range 50 {
		object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "made-"}}
		made, err := e.typed.CoreV1().ConfigMaps(namespace).Create(ctx, object, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		names[made.Name] = true
	}
	return expect("names", len(names), 50)
}

func watchFollowsWrites(ctx context.Context, e *env, namespace string) error {
	client := e.typed.CoreV1().ConfigMaps(namespace)
	list, err := client.List(ctx, metav1.ListOptions{LabelSelector: "watched=yes"})
	if err != nil {
		return err
	}
	w, err := client.Watch(ctx, metav1.ListOptions{LabelSelector: "watched=yes", ResourceVersion: list.ResourceVersion, AllowWatchBookmarks: true})
	if err != nil {
		return err
	}
	defer w.Stop()
	made, err := client.Create(ctx, configMap("w", nil, map[string]string{"watched": "yes"}), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	made.Data = map[string]string{"a": "1"}
	if made, err = client.Update(ctx, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	// It leaves the selection, comes back, and goes.
	made.Labels = nil
	if made, err = client.Update(ctx, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	made.Labels = map[string]string{"watched": "yes"}
	if _, err = client.Update(ctx, made, metav1.UpdateOptions{}); err != nil {
		return err
	}
	if err := client.Delete(ctx, "w", metav1.DeleteOptions{}); err != nil {
		return err
	}
	want := []watch.EventType{watch.Added, watch.Modified, watch.Deleted, watch.Added, watch.Deleted}
	var got []watch.EventType
	for len(got) < len(want) {
		select {
		case event, open := <-w.ResultChan():
			if !open {
				return fmt.Errorf("the watch ended after %v", got)
			}
			if event.Type != watch.Bookmark {
				got = append(got, event.Type)
			}
		case <-time.After(20 * time.Second):
			return fmt.Errorf("only %v came", got)
		}
	}
	return expect("events", got, want)
}
