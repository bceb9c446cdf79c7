package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/pager"
)

var listChecks = []check{
	{"paging", paging},
	{"selectors", selectors},
	{"resource_version_match", resourceVersionMatch},
	{"tables", tables},
	{"table_watch", tableWatch},
	{"watch_list", watchList},
	{"metadata_only", metadataOnly},
	{"delete_collection", deleteCollection},
}

// many makes so many config maps m-000, m-001 …, those with even numbers labelled even=yes.
func many(ctx context.Context, e *env, namespace string, count int) error {
	for i := range count {
		labels := map[string]string{"n": strconv.Itoa(i)}
		if i%2 == 0 {
			labels["even"] = "yes"
		}
		if _, err := e.typed.CoreV1().ConfigMaps(namespace).Create(ctx, configMap(fmt.Sprintf("m-%03d", i), map[string]string{"i": strconv.Itoa(i)}, labels), metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return nil
}

func paging(ctx context.Context, e *env, namespace string) error {
	client := e.typed.CoreV1().ConfigMaps(namespace)
	if err := many(ctx, e, namespace, 53); err != nil {
		return err
	}
	options := metav1.ListOptions{Limit: 10, LabelSelector: "n"}
	first, err := client.List(ctx, options)
	if err != nil {
		return err
	}
	if err := all(
		func() error { return expect("items of a page", len(first.Items), 10) },
		func() error {
			return expect("a selector leaves out the count", first.RemainingItemCount == nil, true)
		},
	); err != nil {
		return err
	}
	plain, err := client.List(ctx, metav1.ListOptions{Limit: 10, FieldSelector: ""})
	if err != nil {
		return err
	}
	if plain.RemainingItemCount == nil || *plain.RemainingItemCount < 43 {
		return fmt.Errorf("remainingItemCount is %v", plain.RemainingItemCount)
	}
	// What happens meanwhile is not in the later pages.
	if _, err := client.Create(ctx, configMap("m-999", nil, map[string]string{"n": "999"}), metav1.CreateOptions{}); err != nil {
		return err
	}
	if err := client.Delete(ctx, "m-040", metav1.DeleteOptions{}); err != nil {
		return err
	}
	names, pages := len(first.Items), 1
	for next := first; next.Continue != ""; pages++ {
		options.Continue = next.Continue
		if next, err = client.List(ctx, options); err != nil {
			return err
		}
		if err := expect("version of a page", next.ResourceVersion, first.ResourceVersion); err != nil {
			return err
		}
		names += len(next.Items)
	}
	if err := all(
		func() error { return expect("all pages together", names, 53) },
		func() error { return expect("pages", pages, 6) },
	); err != nil {
		return err
	}
	seen := 0
	listPager := pager.New(pager.SimplePageFunc(func(options metav1.ListOptions) (runtime.Object, error) { return client.List(ctx, options) }))
	listPager.PageSize = 7
	if err := listPager.EachListItem(ctx, metav1.ListOptions{LabelSelector: "n"}, func(runtime.Object) error { seen++; return nil }); err != nil {
		return err
	}
	return expect("items of the pager", seen, 53)
}

func selectors(ctx context.Context, e *env, namespace string) error {
	client := e.typed.CoreV1().ConfigMaps(namespace)
	if err := many(ctx, e, namespace, 10); err != nil {
		return err
	}
	for selector, want := range map[string]int{
		"even=yes": 5, "even!=yes,n": 5, "n in (1,2,3)": 3, "n notin (1,2),n": 8, "!even,n": 5, "n>7": 2, "even,n<3": 2,
	} {
		list, err := client.List(ctx, metav1.ListOptions{LabelSelector: selector})
		if err != nil {
			return fmt.Errorf("%s: %w", selector, err)
		}
		if err := expect("items of "+selector, len(list.Items), want); err != nil {
			return err
		}
	}
	byName, err := client.List(ctx, metav1.ListOptions{FieldSelector: "metadata.name=m-003"})
	if err != nil {
		return err
	}
	for i := range 4 {
		pod := barePod(fmt.Sprintf("p%d", i))
		if i > 1 {
			pod.Spec.NodeName = "some-node"
		}
		if _, err := e.typed.CoreV1().Pods(namespace).Create(ctx, pod, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	onNode, err := e.typed.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{FieldSelector: "spec.nodeName=some-node,status.phase!=Running"})
	if err != nil {
		return err
	}
	return all(
		func() error { return expect("items of that name", len(byName.Items), 1) },
		func() error { return expect("pods on the node", len(onNode.Items), 2) },
	)
}

func resourceVersionMatch(ctx context.Context, e *env, namespace string) error {
	client := e.typed.CoreV1().ConfigMaps(namespace)
	if err := many(ctx, e, namespace, 3); err != nil {
		return err
	}
	now, err := client.List(ctx, metav1.ListOptions{LabelSelector: "n"})
	if err != nil {
		return err
	}
	if err := client.Delete(ctx, "m-001", metav1.DeleteOptions{}); err != nil {
		return err
	}
	exact, err := client.List(ctx, metav1.ListOptions{LabelSelector: "n", ResourceVersion: now.ResourceVersion, ResourceVersionMatch: metav1.ResourceVersionMatchExact})
	if err != nil {
		return err
	}
	notOlder, err := client.List(ctx, metav1.ListOptions{LabelSelector: "n", ResourceVersion: now.ResourceVersion, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan})
	if err != nil {
		return err
	}
	_, match := client.List(ctx, metav1.ListOptions{ResourceVersionMatch: metav1.ResourceVersionMatchExact})
	return all(
		func() error { return expect("items then", len(exact.Items), 3) },
		func() error { return expect("version then", exact.ResourceVersion, now.ResourceVersion) },
		func() error {
			return expect("items not older", len(notOlder.Items) == 2 || len(notOlder.Items) == 3, true)
		},
		func() error {
			return refused("a match without a version", match, func(err error) bool { return apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) })
		},
	)
}

const asTable = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

func tables(ctx context.Context, e *env, namespace string) error {
	if _, err := e.typed.AppsV1().Deployments(namespace).Create(ctx, deployment("web", 2), metav1.CreateOptions{}); err != nil {
		return err
	}
	read := func(path, include string) (*metav1.Table, error) {
		raw, err := e.typed.CoreV1().RESTClient().Get().AbsPath(path).SetHeader("Accept", asTable).Param("includeObject", include).DoRaw(ctx)
		if err != nil {
			return nil, err
		}
		table := &metav1.Table{}
		return table, json.Unmarshal(raw, table)
	}
	table, err := read("/apis/apps/v1/namespaces/"+namespace+"/deployments", "Metadata")
	if err != nil {
		return err
	}
	var columns []string
	for _, column := range table.ColumnDefinitions {
		columns = append(columns, column.Name)
	}
	if err := all(
		func() error { return expect("kind", table.Kind, "Table") },
		func() error {
			return expect("columns", columns, []string{"Name", "Ready", "Up-to-date", "Available", "Age", "Containers", "Images", "Selector"})
		},
		func() error { return expect("rows", len(table.Rows), 1) },
		func() error { return expect("cells", table.Rows[0].Cells[0:2], []any{"web", "0/2"}) },
	); err != nil {
		return err
	}
	object := metav1.PartialObjectMetadata{}
	if err := json.Unmarshal(table.Rows[0].Object.Raw, &object); err != nil {
		return err
	}
	one, err := read("/apis/apps/v1/namespaces/"+namespace+"/deployments/web", "None")
	if err != nil {
		return err
	}
	full, err := read("/apis/apps/v1/namespaces/"+namespace+"/deployments/web", "Object")
	if err != nil {
		return err
	}
	kind := metav1.TypeMeta{}
	if err := json.Unmarshal(full.Rows[0].Object.Raw, &kind); err != nil {
		return err
	}
	return all(
		func() error { return expect("kind of a row's object", object.Kind, "PartialObjectMetadata") },
		func() error { return expect("name of a row's object", object.Name, "web") },
		func() error { return expect("no object", len(one.Rows[0].Object.Raw), 0) },
		func() error { return expect("kind of a whole object", kind.Kind, "Deployment") },
	)
}

// tableWatch: what `kubectl get --watch` does; only the first event brings columns.
func tableWatch(ctx context.Context, e *env, namespace string) error {
	if err := many(ctx, e, namespace, 2); err != nil {
		return err
	}
	stream, err := e.typed.CoreV1().RESTClient().Get().AbsPath("/api/v1/namespaces/"+namespace+"/configmaps").SetHeader("Accept", asTable).
		Param("watch", "true").Param("labelSelector", "n").Param("timeoutSeconds", "20").Stream(ctx)
	if err != nil {
		return err
	}
	defer stream.Close()
	decoder := json.NewDecoder(stream)
	for i := range 2 {
		event := struct {
			Type   string
			Object metav1.Table
		}{}
		if err := decoder.Decode(&event); err != nil {
			return err
		}
		if err := all(
			func() error { return expect("type", event.Type, "ADDED") },
			func() error { return expect("kind", event.Object.Kind, "Table") },
			func() error { return expect("rows", len(event.Object.Rows), 1) },
			func() error { return expect("columns in event", len(event.Object.ColumnDefinitions) > 0, i == 0) },
		); err != nil {
			return err
		}
	}
	return nil
}

// watchList: state as a stream, ended by a bookmark that says so.
func watchList(ctx context.Context, e *env, namespace string) error {
	if err := many(ctx, e, namespace, 20); err != nil {
		return err
	}
	options := metav1.ListOptions{
		LabelSelector: "n", SendInitialEvents: ptr(true), ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan, AllowWatchBookmarks: true,
	}
	w, err := e.typed.CoreV1().ConfigMaps(namespace).Watch(ctx, options)
	if err != nil {
		return err
	}
	defer w.Stop()
	added := 0
	for {
		select {
		case event, open := <-w.ResultChan():
			switch {
			case !open:
				return fmt.Errorf("the watch ended after %d", added)
			case event.Type == watch.Added:
				added++
			case event.Type == watch.Bookmark:
				bookmark := event.Object.(*corev1.ConfigMap)
				return all(
					func() error {
						return expect("annotation", bookmark.Annotations[metav1.InitialEventsAnnotationKey], "true")
					},
					func() error { return expect("a version", bookmark.ResourceVersion != "", true) },
					func() error { return expect("initial events", added, 20) },
				)
			default:
				return fmt.Errorf("unexpected %s", event.Type)
			}
		case <-time.After(20 * time.Second):
			return fmt.Errorf("no bookmark after %d", added)
		}
	}
}

func metadataOnly(ctx context.Context, e *env, namespace string) error {
	if err := many(ctx, e, namespace, 3); err != nil {
		return err
	}
	client := e.metadata.Resource(configMaps).Namespace(namespace)
	list, err := client.List(ctx, metav1.ListOptions{LabelSelector: "n"})
	if err != nil {
		return err
	}
	one, err := client.Get(ctx, "m-001", metav1.GetOptions{})
	if err != nil {
		return err
	}
	patched, err := client.Patch(ctx, "m-001", "application/merge-patch+json", []byte(`{"metadata":{"labels":{"more":"1"}}}`), metav1.PatchOptions{})
	if err != nil {
		return err
	}
	return all(
		func() error { return expect("items", len(list.Items), 3) },
		func() error { return expect("labels", one.Labels["n"], "1") },
		func() error { return expect("patched", patched.Labels["more"], "1") },
		func() error { return client.Delete(ctx, "m-001", metav1.DeleteOptions{}) },
	)
}

func deleteCollection(ctx context.Context, e *env, namespace string) error {
	client := e.typed.CoreV1().ConfigMaps(namespace)
	if err := many(ctx, e, namespace, 20); err != nil {
		return err
	}
	if err := client.DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: "even=yes"}); err != nil {
		return err
	}
	left, err := client.List(ctx, metav1.ListOptions{LabelSelector: "n"})
	if err != nil {
		return err
	}
	if err := expect("left", len(left.Items), 10); err != nil {
		return err
	}
	if err := client.DeleteCollection(ctx, metav1.DeleteOptions{DryRun: []string{metav1.DryRunAll}}, metav1.ListOptions{LabelSelector: "n"}); err != nil {
		return err
	}
	left, err = client.List(ctx, metav1.ListOptions{LabelSelector: "n"})
	if err != nil {
		return err
	}
	return expect("left after a dry run", len(left.Items), 10)
}
