package main

import (
	"context"
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"
)

const locked = "fleet.example.com/locked"

// gate is the defaulting and the validating webhook.
type gate struct{}

func (gate) Default(_ context.Context, fleet *Fleet) error {
	if fleet.Spec.Size == 0 {
		fleet.Spec.Size = 1
	}
	if fleet.Spec.Paint.Colour == "" {
		fleet.Spec.Paint.Colour = "grey"
	}
	return nil
}

func (gate) ValidateCreate(_ context.Context, fleet *Fleet) (admission.Warnings, error) {
	if fleet.Spec.Size > 10 {
		return nil, fmt.Errorf("a fleet of %d is too large", fleet.Spec.Size)
	}
	if fleet.Spec.Size > 5 {
		return admission.Warnings{"large fleets are dear"}, nil
	}
	return nil, nil
}

func (g gate) ValidateUpdate(ctx context.Context, old, fleet *Fleet) (admission.Warnings, error) {
	if fleet.Spec.Paint != old.Spec.Paint && fleet.Annotations[locked] != "" {
		return nil, fmt.Errorf("the paint of %s is %s and stays so", fleet.Name, old.Spec.Paint.Colour)
	}
	return g.ValidateCreate(ctx, fleet)
}

func (gate) ValidateDelete(_ context.Context, fleet *Fleet) (admission.Warnings, error) {
	if fleet.Annotations[locked] != "" {
		return nil, fmt.Errorf("%s is locked", fleet.Name)
	}
	return nil, nil
}

func serveWebhooks(mgr ctrl.Manager) error {
	return ctrl.NewWebhookManagedBy(mgr, &Fleet{}).WithDefaulter(gate{}).WithValidator(gate{}).Complete()
}

// rules are for v1 only: writes of v1beta1 reach the webhooks in v1, by match policy Equivalent.
func rules(operations ...admissionregistrationv1.OperationType) []admissionregistrationv1.RuleWithOperations {
	return []admissionregistrationv1.RuleWithOperations{{
		Operations: operations,
		Rule:       admissionregistrationv1.Rule{APIGroups: []string{group}, APIVersions: []string{"v1"}, Resources: []string{"fleets"}},
	}}
}

// service is replaced by an URL of this process.
func service(path string) admissionregistrationv1.WebhookClientConfig {
	return admissionregistrationv1.WebhookClientConfig{Service: &admissionregistrationv1.ServiceReference{Namespace: "default", Name: "webhook", Path: &path}}
}

func mutatingConfiguration() *admissionregistrationv1.MutatingWebhookConfiguration {
	return &admissionregistrationv1.MutatingWebhookConfiguration{
		TypeMeta:   metav1.TypeMeta{APIVersion: "admissionregistration.k8s.io/v1", Kind: "MutatingWebhookConfiguration"},
		ObjectMeta: metav1.ObjectMeta{Name: "fleet-defaults"},
		Webhooks: []admissionregistrationv1.MutatingWebhook{{
			Name: "defaults.fleet.example.com", ClientConfig: service("/mutate-fleet-example-com-v1-fleet"),
			Rules: rules("CREATE", "UPDATE"), SideEffects: ptr(admissionregistrationv1.SideEffectClassNone), AdmissionReviewVersions: []string{"v1"},
			FailurePolicy: ptr(admissionregistrationv1.Fail), MatchPolicy: ptr(admissionregistrationv1.Equivalent),
		}},
	}
}

func validatingConfiguration() *admissionregistrationv1.ValidatingWebhookConfiguration {
	return &admissionregistrationv1.ValidatingWebhookConfiguration{
		TypeMeta:   metav1.TypeMeta{APIVersion: "admissionregistration.k8s.io/v1", Kind: "ValidatingWebhookConfiguration"},
		ObjectMeta: metav1.ObjectMeta{Name: "fleet-rules"},
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{
			Name: "rules.fleet.example.com", ClientConfig: service("/validate-fleet-example-com-v1-fleet"),
			Rules: rules("CREATE", "UPDATE", "DELETE"), SideEffects: ptr(admissionregistrationv1.SideEffectClassNone), AdmissionReviewVersions: []string{"v1"},
			FailurePolicy: ptr(admissionregistrationv1.Fail), MatchPolicy: ptr(admissionregistrationv1.Equivalent),
		}},
	}
}
