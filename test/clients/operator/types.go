package main

import (
	"fmt"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/conversion"
)

const group = "fleet.example.com"

var (
	v1      = schema.GroupVersion{Group: group, Version: "v1"}
	v1beta1 = schema.GroupVersion{Group: group, Version: "v1beta1"}
)

// Fleet is version v1, which is stored: so many ships, painted.
type Fleet struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   FleetSpec   `json:"spec,omitempty"`
	Status FleetStatus `json:"status,omitempty"`
}

type FleetSpec struct {
	Size  int32 `json:"size,omitempty"`
	Paint Paint `json:"paint,omitempty"`
}

type Paint struct {
	Colour string `json:"colour,omitempty"`
}

type FleetStatus struct {
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
	SameColour         int32              `json:"sameColour,omitempty"`
	Secrets            int32              `json:"secrets,omitempty"`
	By                 string             `json:"by,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
}

type FleetList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Fleet `json:"items"`
}

// OldFleet is version v1beta1 of the same kind: other names, and no paint.
type OldFleet struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   OldFleetSpec `json:"spec,omitempty"`
	Status FleetStatus  `json:"status,omitempty"`
}

type OldFleetSpec struct {
	Ships  int32  `json:"ships,omitempty"`
	Colour string `json:"colour,omitempty"`
}

type OldFleetList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []OldFleet `json:"items"`
}

// Hub says that other versions are converted through this one.
func (*Fleet) Hub() {}

func (o *OldFleet) ConvertTo(hub conversion.Hub) error {
	fleet := hub.(*Fleet)
	if o.Spec.Colour == "inconvertible" {
		return fmt.Errorf("nobody paints ships %s", o.Spec.Colour)
	}
	fleet.ObjectMeta = o.ObjectMeta
	fleet.Spec = FleetSpec{Size: o.Spec.Ships, Paint: Paint{Colour: o.Spec.Colour}}
	fleet.Status = o.Status
	return nil
}

func (o *OldFleet) ConvertFrom(hub conversion.Hub) error {
	fleet := hub.(*Fleet)
	o.ObjectMeta = fleet.ObjectMeta
	o.Spec = OldFleetSpec{Ships: fleet.Spec.Size, Colour: fleet.Spec.Paint.Colour}
	o.Status = fleet.Status
	return nil
}

func (s *FleetStatus) copy() FleetStatus {
	out := *s
	out.Conditions = append([]metav1.Condition(nil), s.Conditions...)
	return out
}

func (f *Fleet) DeepCopy() *Fleet {
	out := *f
	f.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Status = f.Status.copy()
	return &out
}

func (f *Fleet) DeepCopyObject() runtime.Object { return f.DeepCopy() }

func (l *FleetList) DeepCopyObject() runtime.Object {
	out := *l
	out.Items = nil
	for i := range l.Items {
		out.Items = append(out.Items, *l.Items[i].DeepCopy())
	}
	return &out
}

func (o *OldFleet) DeepCopyObject() runtime.Object {
	out := *o
	o.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	out.Status = o.Status.copy()
	return &out
}

func (l *OldFleetList) DeepCopyObject() runtime.Object {
	out := *l
	out.Items = nil
	for i := range l.Items {
		out.Items = append(out.Items, *l.Items[i].DeepCopyObject().(*OldFleet))
	}
	return &out
}

func addTypes(scheme *runtime.Scheme) {
	scheme.AddKnownTypes(v1, &Fleet{}, &FleetList{})
	metav1.AddToGroupVersion(scheme, v1)
	scheme.AddKnownTypeWithName(v1beta1.WithKind("Fleet"), &OldFleet{})
	scheme.AddKnownTypeWithName(v1beta1.WithKind("FleetList"), &OldFleetList{})
	metav1.AddToGroupVersion(scheme, v1beta1)
}

func definition() *apiextensionsv1.CustomResourceDefinition {
	integer := apiextensionsv1.JSONSchemaProps{Type: "integer", Format: "int32"}
	text := apiextensionsv1.JSONSchemaProps{Type: "string"}
	object := func(properties map[string]apiextensionsv1.JSONSchemaProps) apiextensionsv1.JSONSchemaProps {
		return apiextensionsv1.JSONSchemaProps{Type: "object", Properties: properties}
	}
	type properties = map[string]apiextensionsv1.JSONSchemaProps
	status := object(properties{
		"observedGeneration": {Type: "integer", Format: "int64"}, "sameColour": integer, "secrets": integer, "by": text,
		"conditions": {
			Type: "array", XListType: ptr("map"), XListMapKeys: []string{"type"},
			Items: &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &apiextensionsv1.JSONSchemaProps{
				Type: "object", Required: []string{"type", "status"}, Properties: properties{
					"type": text, "status": text, "reason": text, "message": text,
					"lastTransitionTime": {Type: "string", Format: "date-time"}, "observedGeneration": {Type: "integer", Format: "int64"},
				},
			}},
		},
	})
	version := func(name string, storage bool, spec apiextensionsv1.JSONSchemaProps) apiextensionsv1.CustomResourceDefinitionVersion {
		root := object(properties{"spec": spec, "status": status})
		return apiextensionsv1.CustomResourceDefinitionVersion{
			Name: name, Served: true, Storage: storage, Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &root},
			Subresources: &apiextensionsv1.CustomResourceSubresources{Status: &apiextensionsv1.CustomResourceSubresourceStatus{}},
		}
	}
	return &apiextensionsv1.CustomResourceDefinition{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition"},
		ObjectMeta: metav1.ObjectMeta{Name: "fleets." + group},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: group, Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: "fleets", Singular: "fleet", Kind: "Fleet", ListKind: "FleetList"},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{
				version("v1", true, object(properties{"size": integer, "paint": object(properties{"colour": text})})),
				version("v1beta1", false, object(properties{"ships": integer, "colour": text})),
			},
		},
	}
}
