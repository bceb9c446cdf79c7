// Oracle answers what the published Kubernetes libraries make of given inputs. Its answers are committed as test
// data (src/**/*.oracle.json), so that tests need no Go.
//
// Usage: oracle < questions.json > answers.json. Questions: [{"ask": NAME, ...}].
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/api/validate/content"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/kube-openapi/pkg/openapiconv"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/admissionregistration/install"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/coordination/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/discovery/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	_ "k8s.io/kubernetes/pkg/apis/rbac/install"
	_ "k8s.io/kubernetes/pkg/apis/scheduling/install"
	_ "k8s.io/kubernetes/pkg/apis/storage/install"
	"k8s.io/kubernetes/pkg/printers"
	printersinternal "k8s.io/kubernetes/pkg/printers/internalversion"
)

type question struct {
	Ask      string          `json:"ask"`
	Text     string          `json:"text"`
	Other    string          `json:"other"`
	Kind     string          `json:"kind"`
	Version  string          `json:"apiVersion"`
	Document json.RawMessage `json:"document"`
	Patch    json.RawMessage `json:"patch"`
	Seconds  float64         `json:"seconds"`
}

func failed(err error) map[string]any { return map[string]any{"error": err.Error()} }

func answer(q question, tables *printers.HumanReadableGenerator) (out map[string]any) {
	defer func() {
		if r := recover(); r != nil {
			out = map[string]any{"panic": fmt.Sprint(r)}
		}
	}()
	switch q.Ask {
	case "quantity":
		parsed, err := resource.ParseQuantity(q.Text)
		if err != nil {
			return map[string]any{"invalid": true}
		}
		dec := parsed.DeepCopy()
		return map[string]any{"canonical": parsed.String(), "value": fmt.Sprint(dec.Value()), "milli": fmt.Sprint(dec.MilliValue())}
	case "quantities":
		a, b := resource.MustParse(q.Text), resource.MustParse(q.Other)
		sum, difference := a.DeepCopy(), a.DeepCopy()
		sum.Add(b)
		difference.Sub(b)
		return map[string]any{"sum": sum.String(), "difference": difference.String(), "compare": a.Cmp(b)}
	case "labels":
		selector, err := labels.Parse(q.Text)
		if err != nil {
			return failed(err)
		}
		return map[string]any{"text": selector.String()}
	case "labelobject":
		var object metav1.LabelSelector
		if err := json.Unmarshal(q.Document, &object); err != nil {
			panic(err)
		}
		selector, err := metav1.LabelSelectorAsSelector(&object)
		if err != nil {
			return failed(err)
		}
		return map[string]any{"text": selector.String()}
	case "fields":
		selector, err := fields.ParseSelector(q.Text)
		if err != nil {
			return failed(err)
		}
		list := []map[string]string{}
		for _, r := range selector.Requirements() {
			list = append(list, map[string]string{"field": r.Field, "operator": string(r.Operator), "value": r.Value})
		}
		return map[string]any{"requirements": list}
	case "name":
		rules := map[string]func(string) []string{
			"isDns1123Subdomain":         validation.IsDNS1123Subdomain,
			"isWildcardDns1123Subdomain": validation.IsWildcardDNS1123Subdomain,
			"isDns1123Label":             validation.IsDNS1123Label,
			"isDns1035Label":             validation.IsDNS1035Label,
			"isQualifiedName":            content.IsLabelKey,
			"isLabelValue":               content.IsLabelValue,
			"isConfigMapKey":             validation.IsConfigMapKey,
			"isEnvVarName":               validation.IsEnvVarName,
			"isRelaxedEnvVarName":        validation.IsRelaxedEnvVarName,
			"isPortName":                 validation.IsValidPortName,
			"isPercent":                  validation.IsValidPercent,
			"isHttpHeaderName":           validation.IsHTTPHeaderName,
			"isPathSegmentName":          content.IsPathSegmentName,
			"isIp":                       func(v string) []string { return details(validation.IsValidIPForLegacyField(nil, v, true, nil)) },
			"isCanonicalIp":              func(v string) []string { return details(validation.IsValidIP(nil, v)) },
			"isCidr":                     func(v string) []string { return details(validation.IsValidCIDRForLegacyField(nil, v, true, nil)) },
		}
		texts := rules[q.Kind](q.Text)
		if texts == nil {
			texts = []string{}
		}
		return map[string]any{"errors": texts}
	case "duration":
		d := time.Duration(q.Seconds * float64(time.Second))
		return map[string]any{"human": duration.HumanDuration(d), "short": duration.ShortHumanDuration(d)}
	case "strategic":
		object, err := scheme.Scheme.New(schema.FromAPIVersionAndKind(q.Version, q.Kind))
		if err != nil {
			panic(err)
		}
		result, err := strategicpatch.StrategicMergePatch(q.Document, q.Patch, object)
		if err != nil {
			return failed(err)
		}
		return map[string]any{"result": json.RawMessage(result)}
	case "merge":
		result, err := jsonpatch.MergePatch(q.Document, q.Patch)
		if err != nil {
			return failed(err)
		}
		return map[string]any{"result": json.RawMessage(result)}
	case "json":
		patch, err := jsonpatch.DecodePatch(q.Patch)
		if err != nil {
			return failed(err)
		}
		result, err := patch.Apply(q.Document)
		if err != nil {
			return failed(err)
		}
		return map[string]any{"result": json.RawMessage(result)}
	case "openapi":
		var document spec.Swagger
		if err := json.Unmarshal(q.Document, &document); err != nil {
			return failed(err)
		}
		return map[string]any{"document": openapiconv.ConvertV2ToV3(&document)}
	case "table":
		versioned, _, err := legacyscheme.Codecs.UniversalDeserializer().Decode(q.Document, nil, nil)
		if err != nil {
			panic(err)
		}
		internal, err := legacyscheme.Scheme.UnsafeConvertToVersion(versioned, runtime.InternalGroupVersioner)
		if err != nil {
			panic(err)
		}
		table, err := tables.GenerateTable(internal, printers.GenerateOptions{Wide: true})
		if err != nil {
			panic(err)
		}
		columns := []map[string]any{}
		for _, c := range table.ColumnDefinitions {
			columns = append(columns, map[string]any{"name": c.Name, "type": c.Type, "format": c.Format, "priority": c.Priority})
		}
		return map[string]any{"columns": columns, "cells": table.Rows[0].Cells, "conditions": table.Rows[0].Conditions}
	}
	panic("unknown question " + q.Ask)
}

func details(list field.ErrorList) []string {
	out := []string{}
	for _, e := range list {
		out = append(out, e.Detail)
	}
	return out
}

func main() {
	var questions []question
	if err := json.NewDecoder(os.Stdin).Decode(&questions); err != nil {
		panic(err)
	}
	tables := printers.NewTableGenerator().With(printersinternal.AddHandlers)
	answers := make([]map[string]any, 0, len(questions))
	for _, q := range questions {
		answers = append(answers, answer(q, tables))
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	if err := encoder.Encode(answers); err != nil {
		panic(err)
	}
}
