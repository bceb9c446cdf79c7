package main

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

var patchChecks = []check{
	{"strategic_merge_patch", strategicMergePatch},
	{"merge_and_json_patch", mergeAndJSONPatch},
}

func strategicMergePatch(ctx context.Context, e *env, namespace string) error {
	client := e.typed.AppsV1().Deployments(namespace)
	if _, err := client.Create(ctx, deployment("web", 1), metav1.CreateOptions{}); err != nil {
		return err
	}
	patched, err := client.Patch(ctx, "web", types.StrategicMergePatchType, []byte(`{"spec":{"template":{"spec":{
		"containers":[{"name":"main","image":"registry.example/app:2","ports":[{"containerPort":9090,"name":"admin"}]},{"name":"side","image":"s"}]}}}}`), metav1.PatchOptions{})
	if err != nil {
		return err
	}
	containers := patched.Spec.Template.Spec.Containers
	if err := expect("containers", len(containers), 2); err != nil {
		return err
	}
	byName := map[string]int{}
	for i, c := range containers {
		byName[c.Name] = i
	}
	main := containers[byName["main"]]
	if err := all(
		func() error { return expect("image", main.Image, "registry.example/app:2") },
		func() error { return expect("ports", len(main.Ports), 2) },
		func() error { return expect("env", len(main.Env), 1) },
	); err != nil {
		return err
	}
	patched, err = client.Patch(ctx, "web", types.StrategicMergePatchType, []byte(`{"spec":{"template":{"spec":{"containers":[{"name":"side","$patch":"delete"}]}},
		"strategy":{"$retainKeys":["type"],"type":"Recreate"}}}`), metav1.PatchOptions{})
	if err != nil {
		return err
	}
	return all(
		func() error { return expect("containers", len(patched.Spec.Template.Spec.Containers), 1) },
		func() error {
			return expect("strategy", fmt.Sprint(patched.Spec.Strategy.Type, patched.Spec.Strategy.RollingUpdate == nil), "Recreatetrue")
		},
	)
}

func mergeAndJSONPatch(ctx context.Context, e *env, namespace string) error {
	client := e.typed.CoreV1().ConfigMaps(namespace)
	if _, err := client.Create(ctx, configMap("p", map[string]string{"a": "1", "b": "2"}, nil), metav1.CreateOptions{}); err != nil {
		return err
	}
	merged, err := client.Patch(ctx, "p", types.MergePatchType, []byte(`{"data":{"a":null,"c":"3"}}`), metav1.PatchOptions{})
	if err != nil {
		return err
	}
	if err := expect("merged", merged.Data, map[string]string{"b": "2", "c": "3"}); err != nil {
		return err
	}
	patched, err := client.Patch(ctx, "p", types.JSONPatchType, []byte(`[{"op":"test","path":"/data/b","value":"2"},{"op":"move","from":"/data/b","path":"/data/d"},{"op":"add","path":"/metadata/labels","value":{"x~y":"z"}}]`), metav1.PatchOptions{})
	if err := refused("a label that is none", err, apierrors.IsInvalid); err != nil {
		return err
	}
	patched, err = client.Patch(ctx, "p", types.JSONPatchType, []byte(`[{"op":"test","path":"/data/b","value":"2"},{"op":"move","from":"/data/b","path":"/data/d"}]`), metav1.PatchOptions{})
	if err != nil {
		return err
	}
	if err := expect("patched", patched.Data, map[string]string{"c": "3", "d": "2"}); err != nil {
		return err
	}
	_, err = client.Patch(ctx, "p", types.JSONPatchType, []byte(`[{"op":"test","path":"/data/c","value":"4"}]`), metav1.PatchOptions{})
	if err := refused("a test that fails", err, apierrors.IsInvalid); err != nil {
		return err
	}
	_, err = client.Patch(ctx, "p", types.MergePatchType, []byte(`{"metadata":{"resourceVersion":"1"},"data":{"a":"1"}}`), metav1.PatchOptions{})
	if err := refused("a patch of an old version", err, apierrors.IsConflict); err != nil {
		return err
	}
	_, err = client.Patch(ctx, "absent", types.MergePatchType, []byte(`{}`), metav1.PatchOptions{})
	if err := refused("a patch of nothing", err, apierrors.IsNotFound); err != nil {
		return err
	}
	same, err := client.Patch(ctx, "p", types.MergePatchType, []byte(`{"data":{"c":"3"}}`), metav1.PatchOptions{})
	if err != nil {
		return err
	}
	return expect("version after a patch without effect", same.ResourceVersion, patched.ResourceVersion)
}
