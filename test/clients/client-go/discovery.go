package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	openapiv2 "github.com/google/gnostic-models/openapiv2"
	openapiv3 "github.com/google/gnostic-models/openapiv3"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery/cached/disk"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/openapi3"
	"k8s.io/client-go/restmapper"
)

var discoveryChecks = []check{
	{"server_version", serverVersion},
	{"every_typed_kind_is_served", everyTypedKindIsServed},
	{"cached_discovery_and_rest_mapper", cachedDiscoveryAndRESTMapper},
	{"openapi_v2", openAPIv2},
	{"openapi_v3", openAPIv3},
	{"custom_resource_is_discovered", customResourceIsDiscovered},
}

func serverVersion(_ context.Context, e *env, _ string) error {
	version, err := e.typed.Discovery().ServerVersion()
	if err != nil {
		return err
	}
	return all(
		func() error { return expect("major", version.Major, "1") },
		func() error { return expect("minor", version.Minor, "37") },
		func() error { return expect("git version", strings.HasPrefix(version.GitVersion, "v1.37."), true) },
	)
}

// Groups and kinds of client-go's scheme that are stable and that a server serves by default: each must be discovered.
func everyTypedKindIsServed(_ context.Context, e *env, _ string) error {
	groups, lists, err := e.typed.Discovery().ServerGroupsAndResources()
	if err != nil {
		return err
	}
	if len(groups) < 15 {
		return fmt.Errorf("only %d groups", len(groups))
	}
	served := map[schema.GroupVersionKind]metav1.APIResource{}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return err
		}
		for _, r := range list.APIResources {
			if strings.Contains(r.Name, "/") {
				continue
			}
			served[gv.WithKind(r.Kind)] = r
			if r.SingularName == "" || len(r.Verbs) == 0 {
				return fmt.Errorf("%s %s has no singular name or no verbs", list.GroupVersion, r.Name)
			}
		}
	}
	var missing []string
	for gvk := range scheme.Scheme.AllKnownTypes() {
		beta := strings.Contains(gvk.Version, "alpha") || strings.Contains(gvk.Version, "beta")
		if beta || gvk.Version == "__internal" || gvk.Group == "imagepolicy.k8s.io" || notResources[gvk.Kind] || strings.HasSuffix(gvk.Kind, "List") || strings.HasSuffix(gvk.Kind, "Options") {
			continue
		}
		if _, found := served[gvk]; !found {
			missing = append(missing, gvk.String())
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("not served: %s", strings.Join(missing, "; "))
	}
	return nil
}

// Kinds that are no resources of their own.
var notResources = map[string]bool{
	"Status": true, "APIVersions": true, "APIGroup": true, "WatchEvent": true, "Scale": true, "Eviction": true, "Binding": false, "RangeAllocation": true,
	"SerializedReference": true, "PodStatusResult": true, "PodProxyOptions": true, "TokenRequest": true, "ImageReview": true, "List": true,
}

func cachedDiscoveryAndRESTMapper(_ context.Context, e *env, _ string) error {
	cached := memory.NewMemCacheClient(e.typed.Discovery())
	mapper := restmapper.NewShortcutExpander(restmapper.NewDeferredDiscoveryRESTMapper(cached), cached, nil)
	for short, want := range map[string]string{"deploy": "apps/v1 deployments", "po": "/v1 pods", "hpa": "autoscaling/v2 horizontalpodautoscalers", "crd": "apiextensions.k8s.io/v1 customresourcedefinitions", "pdb": "policy/v1 poddisruptionbudgets"} {
		gvr, err := mapper.ResourceFor(schema.GroupVersionResource{Resource: short})
		if err != nil {
			return fmt.Errorf("%s: %w", short, err)
		}
		if err := expect(short, gvr.Group+"/"+gvr.Version+" "+gvr.Resource, want); err != nil {
			return err
		}
	}
	mapping, err := mapper.RESTMapping(schema.GroupKind{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"})
	if err != nil {
		return err
	}
	if err := expect("scope", mapping.Scope.Name(), meta.RESTScopeNameRoot); err != nil {
		return err
	}
	if _, err := mapper.RESTMapping(schema.GroupKind{Group: "nobody.example.com", Kind: "Thing"}); !meta.IsNoMatchError(err) {
		return fmt.Errorf("an unknown kind gives %v", err)
	}
	dir, err := os.MkdirTemp("", "discovery-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for range 2 {
		onDisk, err := disk.NewCachedDiscoveryClientForConfig(e.config, dir+"/discovery", dir+"/http", 0)
		if err != nil {
			return err
		}
		_, resources, err := onDisk.ServerGroupsAndResources()
		if err != nil {
			return err
		}
		if len(resources) < 20 {
			return fmt.Errorf("only %d group versions on disk", len(resources))
		}
		onDisk.Invalidate()
	}
	return nil
}

func openAPIv2(ctx context.Context, e *env, _ string) error {
	document, err := e.typed.Discovery().OpenAPISchema()
	if err != nil {
		return err
	}
	definitions := 0
	for _, d := range document.GetDefinitions().GetAdditionalProperties() {
		if d.GetName() == "io.k8s.api.apps.v1.Deployment" {
			found := false
			for _, extension := range d.GetValue().GetVendorExtension() {
				found = found || extension.GetName() == "x-kubernetes-group-version-kind"
			}
			if !found {
				return fmt.Errorf("Deployment's definition names no group, version and kind")
			}
		}
		definitions++
	}
	if definitions < 500 || len(document.GetPaths().GetPath()) < 200 {
		return fmt.Errorf("%d definitions, %d paths", definitions, len(document.GetPaths().GetPath()))
	}
	// What is told in protobuf is what is told in JSON.
	raw, err := e.typed.Discovery().RESTClient().Get().AbsPath("/openapi/v2").SetHeader("Accept", "application/json").DoRaw(ctx)
	if err != nil {
		return err
	}
	parsed, err := openapiv2.ParseDocument(raw)
	if err != nil {
		return err
	}
	return sameDocument(document, parsed)
}

func openAPIv3(_ context.Context, e *env, _ string) error {
	root := openapi3.NewRoot(e.typed.Discovery().OpenAPIV3())
	versions, err := root.GroupVersions()
	if err != nil {
		return err
	}
	for _, gv := range versions {
		spec, err := root.GVSpec(gv)
		if err != nil {
			return fmt.Errorf("%s: %w", gv, err)
		}
		if spec.Paths == nil || len(spec.Paths.Paths) == 0 {
			return fmt.Errorf("%s has no paths", gv)
		}
		if gv.Group == "apps" {
			template := spec.Components.Schemas["io.k8s.api.core.v1.PodSpec"].Properties["containers"]
			if err := expect("merge key", template.Extensions["x-kubernetes-patch-merge-key"], "name"); err != nil {
				return err
			}
		}
	}
	if len(versions) < 20 {
		return fmt.Errorf("only %d group versions", len(versions))
	}
	paths, err := e.typed.Discovery().OpenAPIV3().Paths()
	if err != nil {
		return err
	}
	if err := expect("a hash", strings.Contains(paths["apis/apps/v1"].ServerRelativeURL(), "?hash="), true); err != nil {
		return err
	}
	bytes, err := paths["apis/apps/v1"].Schema("application/com.github.proto-openapi.spec.v3@v1.0+protobuf")
	if err != nil {
		return err
	}
	var document openapiv3.Document
	if err := proto.Unmarshal(bytes, &document); err != nil {
		return err
	}
	raw, err := paths["apis/apps/v1"].Schema("application/json")
	if err != nil {
		return err
	}
	parsed, err := openapiv3.ParseDocument(raw)
	if err != nil {
		return err
	}
	return sameDocument(&document, parsed)
}

// sameDocument compares two documents; the text of extensions may be written in another way.
func sameDocument(got, want proto.Message) error {
	texts := func(message proto.Message) proto.Message {
		_ = protorange.Range(message.ProtoReflect(), func(values protopath.Values) error {
			last := values.Index(-1)
			if message, is := last.Value.Interface().(protoreflect.Message); is && message.Descriptor().Name() == "Any" {
				field := message.Descriptor().Fields().ByName("yaml")
				var value any
				if yaml.Unmarshal([]byte(message.Get(field).String()), &value) == nil {
					text, _ := json.Marshal(value)
					message.Set(field, protoreflect.ValueOfString(string(text)))
				}
			}
			return nil
		})
		return message
	}
	texts(got)
	texts(want)
	if proto.Equal(got, want) {
		return nil
	}
	g, w := strings.Split(prototext.Format(got), "\n"), strings.Split(prototext.Format(want), "\n")
	for i := range min(len(g), len(w)) {
		if strings.Join(strings.Fields(g[i]), " ") != strings.Join(strings.Fields(w[i]), " ") {
			from := max(0, i-8)
			return fmt.Errorf("in protobuf it is\n%s\nand in JSON\n%s", strings.Join(g[from:i+1], "\n"), strings.Join(w[from:i+1], "\n"))
		}
	}
	return fmt.Errorf("the documents differ in their length")
}

// widgets is a custom resource with scale, in a group of its own.
func widgets(group string) *apiextensionsv1.CustomResourceDefinition {
	integer := apiextensionsv1.JSONSchemaProps{Type: "integer"}
	text := apiextensionsv1.JSONSchemaProps{Type: "string"}
	return &apiextensionsv1.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "widgets." + group},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: group, Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "widgets", Singular: "widget", Kind: "Widget", ListKind: "WidgetList", ShortNames: []string{"wg"}, Categories: []string{"all"}},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Subresources: &apiextensionsv1.CustomResourceSubresources{
					Status: &apiextensionsv1.CustomResourceSubresourceStatus{},
					Scale:  &apiextensionsv1.CustomResourceSubresourceScale{SpecReplicasPath: ".spec.replicas", StatusReplicasPath: ".status.replicas", LabelSelectorPath: ptr(".status.selector")},
				},
				AdditionalPrinterColumns: []apiextensionsv1.CustomResourceColumnDefinition{{Name: "Colour", Type: "string", JSONPath: ".spec.colour"}},
				Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &apiextensionsv1.JSONSchemaProps{
					Type: "object",
					Properties: map[string]apiextensionsv1.JSONSchemaProps{
						"spec": {Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{
							"replicas": {Type: "integer", Default: &apiextensionsv1.JSON{Raw: []byte("1")}, Minimum: ptr(0.0)},
							"colour":   text,
							"parts": {Type: "array", XListType: ptr("map"), XListMapKeys: []string{"name"}, Items: &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &apiextensionsv1.JSONSchemaProps{
								Type: "object", Required: []string{"name"}, Properties: map[string]apiextensionsv1.JSONSchemaProps{"name": text, "size": integer},
							}}},
						}},
						"status": {Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{"replicas": integer, "selector": text}},
					},
				}},
			}},
		},
	}
}

// withWidgets serves the custom resource while work runs.
func withWidgets(ctx context.Context, e *env, group string, work func(gvr schema.GroupVersionResource) error) error {
	client := e.extensions.ApiextensionsV1().CustomResourceDefinitions()
	made, err := client.Create(ctx, widgets(group), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	defer func() { _ = client.Delete(context.Background(), made.Name, metav1.DeleteOptions{}) }()
	gvr := schema.GroupVersionResource{Group: group, Version: "v1", Resource: "widgets"}
	if err := eventually(ctx, "the resource is established", func() error {
		current, err := client.Get(ctx, made.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		for _, c := range current.Status.Conditions {
			if c.Type == apiextensionsv1.Established && c.Status == apiextensionsv1.ConditionTrue {
				_, err := e.dynamic.Resource(gvr).List(ctx, metav1.ListOptions{})
				return err
			}
		}
		return fmt.Errorf("%v", current.Status.Conditions)
	}); err != nil {
		return err
	}
	return work(gvr)
}

func widget(name string, replicas int64) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"kind": "Widget", "metadata": map[string]any{"name": name}, "spec": map[string]any{"replicas": replicas, "colour": "red"}}}
}

func customResourceIsDiscovered(ctx context.Context, e *env, namespace string) error {
	cached := memory.NewMemCacheClient(e.typed.Discovery())
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(cached)
	if _, err := mapper.RESTMapping(schema.GroupKind{Kind: "Pod"}); err != nil {
		return err
	}
	const group = "discovery.client-go.example.com"
	return withWidgets(ctx, e, group, func(gvr schema.GroupVersionResource) error {
		// The mapper has to notice by itself that its cache is old.
		if err := eventually(ctx, "the kind is discovered", func() error {
			_, err := mapper.RESTMapping(schema.GroupKind{Group: group, Kind: "Widget"})
			if err != nil {
				mapper.Reset()
			}
			return err
		}); err != nil {
			return err
		}
		object := widget("one", 1)
		object.SetAPIVersion(group + "/v1")
		unstructured.RemoveNestedField(object.Object, "spec", "replicas")
		made, err := e.dynamic.Resource(gvr).Namespace(namespace).Create(ctx, object, metav1.CreateOptions{})
		if err != nil {
			return err
		}
		replicas, _, _ := unstructured.NestedInt64(made.Object, "spec", "replicas")
		return all(
			func() error { return expect("default", replicas, 1) },
			func() error {
				return eventually(ctx, "OpenAPI tells of it", func() error {
					spec, err := openapi3.NewRoot(e.typed.Discovery().OpenAPIV3()).GVSpec(gvr.GroupVersion())
					if err != nil {
						return err
					}
					for name := range spec.Components.Schemas {
						if strings.HasSuffix(name, ".v1.Widget") {
							return nil
						}
					}
					return fmt.Errorf("no Widget in %d schemas", len(spec.Components.Schemas))
				})
			},
		)
	})
}
