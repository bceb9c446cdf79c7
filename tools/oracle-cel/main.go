// Answers what Kubernetes' CEL says to each case: problems, type, costs, value. Reads a list of cases on standard input,
// writes the list of answers to standard output.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/checker"
	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/version"
	plugincel "k8s.io/apiserver/pkg/admission/plugin/cel"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	apiservercel "k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/common"
	"k8s.io/apiserver/pkg/cel/environment"
	"k8s.io/apiserver/pkg/cel/library"
	"k8s.io/apiserver/pkg/cel/mutation"
	"k8s.io/apiserver/pkg/cel/mutation/dynamic"
	"k8s.io/apiserver/pkg/cel/openapi"
	"k8s.io/kube-openapi/pkg/validation/spec"
)

type input struct {
	Fixtures map[string]fixture `json:"fixtures"`
	Cases    []question         `json:"cases"`
}

type fixture struct {
	Profile string          `json:"profile"`
	Schema  json.RawMessage `json:"schema"`
	Self    json.RawMessage `json:"self"`
	OldSelf json.RawMessage `json:"oldSelf"`
	// Variables of type dyn.
	Dyn map[string]json.RawMessage `json:"dyn"`
	// The variables authorizer and request.
	Authorizer bool            `json:"authorizer"`
	Request    json.RawMessage `json:"request"`
	Namespace  json.RawMessage `json:"namespaceObject"`
}

type question struct {
	On   string `json:"on"`
	Text string `json:"text"`
}

type answer struct {
	Issues  string  `json:"issues,omitempty"`
	Program string  `json:"program,omitempty"`
	Type    string  `json:"type,omitempty"`
	Worst   string  `json:"worst,omitempty"`
	Cost    *uint64 `json:"cost,omitempty"`
	Value   string  `json:"value,omitempty"`
	Error   string  `json:"error,omitempty"`
}

type sizes struct{ root *apiservercel.DeclType }

func (s *sizes) EstimateSize(element checker.AstNode) *checker.SizeEstimate {
	if s.root == nil || len(element.Path()) == 0 {
		return nil
	}
	at := s.root
	for _, name := range element.Path()[1:] {
		switch name {
		case "@items", "@values":
			at = at.ElemType
		case "@keys":
			at = at.KeyType
		default:
			field, ok := at.Fields[name]
			if !ok {
				return nil
			}
			at = field.Type
		}
		if at == nil {
			return nil
		}
	}
	return &checker.SizeEstimate{Min: 0, Max: uint64(at.MaxElements)}
}

func (s *sizes) EstimateCallCost(function, overloadID string, target *checker.AstNode, args []checker.AstNode) *checker.CallEstimate {
	return nil
}

// Everybody may get pods; the path /healthz is open; asking about the name boom is an error.
type authority struct{}

func (authority) Authorize(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
	who := a.GetUser().GetName()
	what := strings.Join([]string{who, a.GetVerb(), a.GetAPIGroup(), a.GetResource(), a.GetSubresource(), a.GetNamespace(), a.GetName(), a.GetPath()}, "|")
	fields, fieldErr := a.GetFieldSelector()
	labels, labelErr := a.GetLabelSelector()
	what += fmt.Sprintf("|%d %v|%d %v", len(fields), fieldErr != nil, len(labels), labelErr != nil)
	if a.GetName() == "boom" {
		return authorizer.DecisionNoOpinion, what, fmt.Errorf("broken")
	}
	if a.GetVerb() == "get" && (a.GetResource() == "pods" || a.GetPath() == "/healthz") {
		return authorizer.DecisionAllow, what, nil
	}
	return authorizer.DecisionDeny, what, nil
}

func main() {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		panic(err)
	}
	prepared := map[string]*prepared{}
	for name, f := range in.Fixtures {
		prepared[name] = prepare(f)
	}
	answers := make([]answer, len(in.Cases))
	for i, one := range in.Cases {
		answers[i] = prepared[one.On].answer(one.Text)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}

type prepared struct {
	env       *cel.Env
	estimator *library.CostEstimator
	values    map[string]any
}

func decode(raw json.RawMessage) any {
	var value any
	if err := utiljson.Unmarshal([]byte(`{"v":`+string(raw)+`}`), &value); err != nil {
		panic(err)
	}
	return value.(map[string]any)["v"]
}

func prepare(f fixture) *prepared {
	p := &prepared{values: map[string]any{}, estimator: &library.CostEstimator{SizeEstimator: &sizes{}}}
	var opts []cel.EnvOption
	var declared []*apiservercel.DeclType
	if f.Schema != nil {
		var s spec.Schema
		if err := json.Unmarshal(f.Schema, &s); err != nil {
			panic(err)
		}
		root := openapi.SchemaDeclType(&s, true).MaybeAssignTypeName("selfType")
		opts = append(opts, cel.Variable("self", root.CelType()), cel.Variable("oldSelf", root.CelType()))
		declared = append(declared, root)
		p.estimator = &library.CostEstimator{SizeEstimator: &sizes{root}}
		p.values["self"] = common.UnstructuredToVal(decode(f.Self), &openapi.Schema{Schema: common.WithTypeAndObjectMeta(&s)})
		if f.OldSelf != nil {
			p.values["oldSelf"] = common.UnstructuredToVal(decode(f.OldSelf), &openapi.Schema{Schema: common.WithTypeAndObjectMeta(&s)})
		}
	}
	for name, value := range f.Dyn {
		opts = append(opts, cel.Variable(name, cel.DynType))
		p.values[name] = decode(value)
	}
	if f.Request != nil {
		request, namespace := plugincel.BuildRequestType(), plugincel.BuildNamespaceType()
		opts = append(opts, cel.Variable("request", request.CelType()), cel.Variable("namespaceObject", namespace.CelType()))
		declared = append(declared, request, namespace)
		p.values["request"] = decode(f.Request)
		p.values["namespaceObject"] = decode(f.Namespace)
	}
	if f.Authorizer {
		opts = append(opts, cel.Variable("authorizer", library.AuthorizerType), cel.Variable("authorizer.requestResource", library.ResourceCheckType))
		who := &user.DefaultInfo{Name: "alice"}
		p.values["authorizer"] = library.NewAuthorizerVal(who, authority{})
	}
	set, err := environment.MustBaseEnvSet(version.MajorMinor(1, 36)).Extend(environment.VersionedOptions{
		IntroducedVersion: version.MajorMinor(1, 0),
		EnvOptions:        opts,
		DeclTypes:         declared,
	})
	if err != nil {
		panic(err)
	}
	if f.Profile == "mutation" {
		set, err = set.Extend(environment.VersionedOptions{
			IntroducedVersion: version.MajorMinor(1, 0),
			EnvOptions: []cel.EnvOption{
				common.ResolverEnvOption(&mutation.DynamicTypeResolver{}),
				library.JSONPatch(),
			},
		})
		if err != nil {
			panic(err)
		}
	}
	p.env = set.NewExpressionsEnv()
	return p
}

func (p *prepared) answer(text string) answer {
	ast, issues := p.env.Compile(text)
	if issues != nil {
		return answer{Issues: issues.String()}
	}
	a := answer{Type: ast.OutputType().String()}
	program, err := p.env.Program(ast,
		cel.CostLimit(celconfig.PerCallLimit),
		cel.CostTracking(p.estimator),
		cel.InterruptCheckFrequency(celconfig.CheckFrequency),
	)
	if err != nil {
		return answer{Program: err.Error()}
	}
	estimate, err := p.env.EstimateCost(ast, p.estimator)
	if err != nil {
		panic(err)
	}
	a.Worst = strconv.FormatUint(estimate.Max, 10)
	defer func() {
		if r := recover(); r != nil {
			panic(fmt.Sprintf("%s: %v", text, r))
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	value, details, err := program.ContextEval(ctx, p.values)
	if details != nil {
		a.Cost = details.ActualCost()
	}
	if err != nil {
		a.Error = err.Error()
	} else {
		a.Value = show(value)
	}
	return a
}

func quote(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}

// A text for every value, the same whoever made it.
func show(v ref.Val) string {
	switch t := v.(type) {
	case types.Bool, types.Int:
		return fmt.Sprint(t.Value())
	case types.Uint:
		return fmt.Sprintf("%du", uint64(t))
	case types.Double:
		return "double(" + strconv.FormatFloat(float64(t), 'f', -1, 64) + ")"
	case types.String:
		return quote(string(t))
	case types.Bytes:
		return fmt.Sprintf("b%x", []byte(t))
	case types.Timestamp:
		return "timestamp(" + t.Format(time.RFC3339Nano) + ")"
	case types.Duration:
		return fmt.Sprintf("duration(%d)", int64(t.Duration))
	case *types.Optional:
		if t.HasValue() {
			return "optional(" + show(t.GetValue()) + ")"
		}
		return "optional.none"
	case types.Null:
		return "null"
	case *types.Type:
		return "type(" + t.TypeName() + ")"
	case *dynamic.ObjectVal:
		return t.Type().TypeName() + plain(t.Value())
	case *mutation.JSONPatchVal:
		shown := "none"
		if t.Val != nil {
			shown = show(t.Val)
		}
		return fmt.Sprintf("JSONPatch(%s, %s, %s, %s)", quote(t.Op), quote(t.Path), quote(t.From), shown)
	case traits.Mapper:
		var parts []string
		for it := t.Iterator(); it.HasNext() == types.True; {
			// Undeclared properties of objects leave holes.
			k := it.Next()
			if k == nil {
				continue
			}
			parts = append(parts, show(k)+": "+show(t.Get(k)))
		}
		sort.Strings(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	case traits.Lister:
		var parts []string
		for it := t.Iterator(); it.HasNext() == types.True; {
			parts = append(parts, show(it.Next()))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case apiservercel.Quantity:
		return "quantity(" + t.Quantity.String() + ")"
	case *apiservercel.Quantity:
		return "quantity(" + t.Quantity.String() + ")"
	case apiservercel.IP:
		return "ip(" + t.Addr.String() + ")"
	case apiservercel.CIDR:
		return "cidr(" + t.Prefix.String() + ")"
	case apiservercel.URL:
		return "url(" + t.URL.String() + ")"
	case apiservercel.Semver:
		return "semver(" + t.Version.String() + ")"
	case apiservercel.Format:
		return "format(" + t.Name + ")"
	}
	return v.Type().TypeName()
}

func plain(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
