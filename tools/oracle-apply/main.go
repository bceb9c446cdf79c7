// Answers the cases of apply from the published libraries.
//
//	go run . cases.yaml > answers.jsonl     one line per step
//	go run . schema TYPE...                 the schema of types, a line each
//
// A case is a kind and steps; each step writes the object that the step before left. Nothing is defaulted and
// nothing converted, so that answers show ownership and merging alone. Times become "T".
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/managedfields"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	smd "sigs.k8s.io/structured-merge-diff/v6/schema"
	"sigs.k8s.io/structured-merge-diff/v6/typed"
	"sigs.k8s.io/yaml"
)

type step struct {
	Apply  string         `json:"apply"`
	Update string         `json:"update"`
	Force  bool           `json:"force"`
	Sub    string         `json:"subresource"`
	Reset  [][]string     `json:"reset"`
	Object map[string]any `json:"object"`
	Repeat int            `json:"repeat"`
}

type testCase struct {
	Name   string         `json:"name"`
	Kind   string         `json:"kind"`
	Schema map[string]any `json:"schema"`
	Steps  []step         `json:"steps"`
}

type cause struct {
	Message string `json:"message"`
	Field   string `json:"field"`
}

type answer struct {
	Case    string         `json:"case"`
	Step    int            `json:"step"`
	Object  map[string]any `json:"object,omitempty"`
	Code    int32          `json:"code,omitempty"`
	Message string         `json:"message,omitempty"`
	Causes  []cause        `json:"causes,omitempty"`
}

func main() {
	if os.Args[1] == "schema" {
		printSchema(os.Args[2:])
		return
	}
	var cases []testCase
	must(yaml.Unmarshal(read(os.Args[1]), &cases))
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for _, c := range cases {
		run(c, out)
	}
}

func run(c testCase, out *json.Encoder) {
	parts := strings.Split(c.Kind, " ")
	gv, err := schema.ParseGroupVersion(parts[0])
	must(err)
	gvk := gv.WithKind(parts[1])
	env := environment{gvk: gvk}
	if c.Schema != nil {
		env.custom(c.Schema)
	} else {
		env.builtin()
	}
	live := env.empty()
	number := 0
	for _, s := range c.Steps {
		for i := 0; i <= s.Repeat; i++ {
			number++
			a := answer{Case: c.Name, Step: number}
			next, err := env.write(live, s, i)
			if err != nil {
				a.Message = err.Error()
				var status apierrors.APIStatus
				if errors.As(err, &status) {
					a.Code = status.Status().Code
					if d := status.Status().Details; d != nil {
						for _, cs := range d.Causes {
							a.Causes = append(a.Causes, cause{cs.Message, cs.Field})
						}
					}
				}
			} else {
				live = next
				a.Object = plain(live)
			}
			must(out.Encode(a))
		}
	}
}

type environment struct {
	gvk       schema.GroupVersionKind
	converter managedfields.TypeConverter
	isCustom  bool
}

// The typed parser of client-go's apply configurations is the schema of all built-in types.
func (e *environment) builtin() {
	e.converter = managedfields.NewSchemeTypeConverter(clientscheme.Scheme, parser())
}

var theParser *typed.Parser

func parser() *typed.Parser {
	if theParser == nil {
		dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "k8s.io/client-go").Output()
		must(err)
		text := string(read(filepath.Join(strings.TrimSpace(string(dir)), "applyconfigurations/internal/internal.go")))
		start := strings.Index(text, "typed.YAMLObject(`") + len("typed.YAMLObject(`")
		end := strings.LastIndex(text, "`")
		theParser, err = typed.NewParser(typed.YAMLObject(text[start:end]))
		must(err)
	}
	return theParser
}

func (e *environment) custom(props map[string]any) {
	e.isCustom = true
	text, err := json.Marshal(props)
	must(err)
	var s apiextensions.JSONSchemaProps
	must(json.Unmarshal(text, &s))
	crd := &apiextensions.CustomResourceDefinition{
		ObjectMeta: metav1.ObjectMeta{Name: "things." + e.gvk.Group},
		Spec: apiextensions.CustomResourceDefinitionSpec{
			Group: e.gvk.Group, Scope: "Namespaced",
			Names: apiextensions.CustomResourceDefinitionNames{Plural: "things", Singular: "thing", Kind: e.gvk.Kind, ListKind: e.gvk.Kind + "List"},
			Versions: []apiextensions.CustomResourceDefinitionVersion{{
				Name: e.gvk.Version, Served: true, Storage: true,
				Schema: &apiextensions.CustomResourceValidation{OpenAPIV3Schema: &s},
			}},
		},
	}
	doc, err := builder.BuildOpenAPIV3(crd, e.gvk.Version, builder.Options{StripValueValidation: true, StripNullable: true, AllowNonStructural: false})
	must(err)
	models := map[string]*spec.Schema{}
	for name, model := range doc.Components.Schemas {
		models[name] = model
	}
	e.converter, err = managedfields.NewTypeConverter(models, false)
	must(err)
}

func (e *environment) empty() runtime.Object {
	if e.isCustom {
		u := &unstructured.Unstructured{Object: map[string]any{}}
		u.SetGroupVersionKind(e.gvk)
		return u
	}
	return e.typed(map[string]any{})
}

func (e *environment) typed(object map[string]any) runtime.Object {
	if e.isCustom {
		u := (&unstructured.Unstructured{Object: object}).DeepCopy()
		u.SetGroupVersionKind(e.gvk)
		return u
	}
	out, err := clientscheme.Scheme.New(e.gvk)
	must(err)
	must(runtime.DefaultUnstructuredConverter.FromUnstructured(object, out))
	out.GetObjectKind().SetGroupVersionKind(e.gvk)
	return out
}

// New makes empty objects, for what an object had before the first apply.
func (e *environment) New(schema.GroupVersionKind) (runtime.Object, error) { return e.empty(), nil }

func (e *environment) Default(runtime.Object) {}

func (e *environment) Convert(in, out, context any) error { return errors.New("no") }

func (e *environment) ConvertToVersion(in runtime.Object, _ runtime.GroupVersioner) (runtime.Object, error) {
	if u, ok := in.(*unstructured.Unstructured); ok && !e.isCustom {
		return e.typed(u.Object), nil
	}
	return in, nil
}

func (e *environment) ConvertFieldLabel(_ schema.GroupVersionKind, _, _ string) (string, string, error) {
	return "", "", errors.New("no")
}

func (e *environment) write(live runtime.Object, s step, i int) (runtime.Object, error) {
	var reset map[fieldpath.APIVersion]fieldpath.Filter
	version := fieldpath.APIVersion(e.gvk.GroupVersion().String())
	if len(s.Reset) > 0 {
		set := fieldpath.NewSet()
		for _, p := range s.Reset {
			path := fieldpath.Path{}
			for _, name := range p {
				path = append(path, fieldpath.FieldNameElement(name))
			}
			set.Insert(path)
		}
		reset = map[fieldpath.APIVersion]fieldpath.Filter{version: fieldpath.NewExcludeSetFilter(set)}
	}
	make := managedfields.NewDefaultFieldManager
	if e.isCustom {
		make = managedfields.NewDefaultCRDFieldManager
	}
	manager, err := make(e.converter, e, e, e, e.gvk, e.gvk.GroupVersion(), s.Sub, reset)
	must(err)
	object := numbered(s.Object, i)
	live = live.DeepCopyObject()
	var next runtime.Object
	if s.Apply != "" {
		u := &unstructured.Unstructured{Object: object}
		if u.GetKind() == "" {
			u.SetGroupVersionKind(e.gvk)
		}
		next, err = manager.Apply(live, u, strings.ReplaceAll(s.Apply, "#", fmt.Sprint(i)), s.Force)
	} else {
		next, err = manager.Update(live, e.typed(object), strings.ReplaceAll(s.Update, "#", fmt.Sprint(i)))
	}
	if err != nil {
		return nil, err
	}
	accessor, err := meta.Accessor(next)
	must(err)
	accessor.SetUID("u")
	return next, nil
}

// In repeated steps # stands for the round.
func numbered(object map[string]any, i int) map[string]any {
	text, err := json.Marshal(object)
	must(err)
	out := map[string]any{}
	// Integers stay integers.
	must(utiljson.Unmarshal([]byte(strings.ReplaceAll(string(text), "#", fmt.Sprint(i))), &out))
	return out
}

// The text of the fields is compared as it is, with its order; of custom resources upstream keeps no order.
func plain(object runtime.Object) map[string]any {
	accessor, err := meta.Accessor(object)
	must(err)
	entries := accessor.GetManagedFields()
	converted, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object.DeepCopyObject())
	must(err)
	if entries != nil {
		fields, _, err := unstructured.NestedSlice(converted, "metadata", "managedFields")
		must(err)
		for i, entry := range entries {
			field := fields[i].(map[string]any)
			raw, err := entry.FieldsV1.MarshalJSON()
			must(err)
			field["fieldsV1"] = string(raw)
			if field["time"] != nil {
				field["time"] = "T"
			}
		}
		must(unstructured.SetNestedSlice(converted, fields, "metadata", "managedFields"))
	}
	return converted
}

func printSchema(names []string) {
	if len(names) == 0 {
		for _, t := range parser().Schema.Types {
			names = append(names, t.Name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		t, ok := parser().Schema.FindNamedType(name)
		if !ok {
			fmt.Println(name, "?")
			continue
		}
		text, err := json.Marshal(atomOf(t.Atom))
		must(err)
		fmt.Println(name, string(text))
	}
}

func atomOf(a smd.Atom) map[string]any {
	out := map[string]any{}
	if a.Scalar != nil {
		out["Scalar"] = string(*a.Scalar)
	}
	if a.List != nil {
		out["List"] = map[string]any{"ElementType": refOf(a.List.ElementType), "ElementRelationship": a.List.ElementRelationship, "Keys": a.List.Keys}
	}
	if a.Map != nil {
		fields := []any{}
		for _, f := range a.Map.Fields {
			field := map[string]any{"Name": f.Name, "Type": refOf(f.Type)}
			switch f.Default.(type) {
			case string, bool, int, int64, float64:
				field["Default"] = f.Default
			}
			fields = append(fields, field)
		}
		out["Map"] = map[string]any{"Fields": fields, "ElementType": refOf(a.Map.ElementType), "ElementRelationship": a.Map.ElementRelationship}
	}
	return out
}

func refOf(r smd.TypeRef) map[string]any {
	if r.NamedType != nil {
		out := map[string]any{"NamedType": *r.NamedType}
		if r.ElementRelationship != nil {
			out["ElementRelationship"] = *r.ElementRelationship
		}
		return out
	}
	return map[string]any{"Inlined": atomOf(r.Inlined)}
}

func read(path string) []byte {
	text, err := os.ReadFile(path)
	must(err)
	return text
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
