package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var errorChecks = []check{
	{"errors_are_classified", errorsAreClassified},
	{"causes_tell_fields", causesTellFields},
	{"unknown_route", unknownRoute},
	{"too_large", tooLarge},
}

func errorsAreClassified(ctx context.Context, e *env, namespace string) error {
	client := e.typed.CoreV1().ConfigMaps(namespace)
	if _, err := client.Create(ctx, configMap("here", nil, nil), metav1.CreateOptions{}); err != nil {
		return err
	}
	_, missing := client.Get(ctx, "missing", metav1.GetOptions{})
	_, exists := client.Create(ctx, configMap("here", nil, nil), metav1.CreateOptions{})
	stale := configMap("here", nil, nil)
	stale.ResourceVersion = "1"
	_, conflict := client.Update(ctx, stale, metav1.UpdateOptions{})
	_, invalid := client.Create(ctx, configMap("Not_A_Name", nil, nil), metav1.CreateOptions{})
	_, noNamespace := e.typed.CoreV1().ConfigMaps("no-such-namespace").Create(ctx, configMap("x", nil, nil), metav1.CreateOptions{})
	_, badSelector := client.List(ctx, metav1.ListOptions{LabelSelector: "a in"})
	_, badField := client.List(ctx, metav1.ListOptions{FieldSelector: "data.x=1"})
	_, badContinue := client.List(ctx, metav1.ListOptions{Limit: 1, Continue: "rubbish"})
	_, badVersion := client.List(ctx, metav1.ListOptions{ResourceVersion: "x"})
	// The client would itself wait and try again.
	farVersion := e.typed.CoreV1().RESTClient().Get().AbsPath("/api/v1/namespaces/"+namespace+"/configmaps").Param("resourceVersion", "999999999999").MaxRetries(0).Do(ctx).Error()
	method := e.typed.CoreV1().RESTClient().Patch("application/json-patch+json").AbsPath("/api/v1/namespaces/" + namespace + "/configmaps").Body([]byte("[]")).Do(ctx).Error()
	media := e.typed.CoreV1().RESTClient().Post().AbsPath("/api/v1/namespaces/"+namespace+"/configmaps").SetHeader("Content-Type", "text/plain").Body([]byte("x")).Do(ctx).Error()
	accept := e.typed.CoreV1().RESTClient().Get().AbsPath("/api/v1/namespaces/"+namespace+"/configmaps").SetHeader("Accept", "text/html").Do(ctx).Error()
	malformed := e.typed.CoreV1().RESTClient().Post().AbsPath("/api/v1/namespaces/"+namespace+"/configmaps").SetHeader("Content-Type", "application/json").Body([]byte("{")).Do(ctx).Error()
	return all(
		func() error { return refused("get", missing, apierrors.IsNotFound) },
		func() error { return expect("its text", missing, `configmaps "missing" not found`) },
		func() error { return refused("create again", exists, apierrors.IsAlreadyExists) },
		func() error { return refused("stale update", conflict, apierrors.IsConflict) },
		func() error {
			return expect("its text", strings.Contains(conflict.Error(), "the object has been modified; please apply your changes to the latest version and try again"), true)
		},
		func() error { return refused("bad name", invalid, apierrors.IsInvalid) },
		func() error { return refused("no namespace", noNamespace, apierrors.IsNotFound) },
		func() error { return expect("its text", noNamespace, `namespaces "no-such-namespace" not found`) },
		func() error { return refused("bad label selector", badSelector, apierrors.IsBadRequest) },
		func() error { return refused("bad field selector", badField, apierrors.IsBadRequest) },
		func() error { return refused("bad continue token", badContinue, apierrors.IsBadRequest) },
		func() error { return refused("bad version", badVersion, apierrors.IsBadRequest) },
		func() error {
			return refused("version of the future", farVersion, func(err error) bool {
				return apierrors.IsTimeout(err) && apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge)
			})
		},
		func() error { return refused("wrong method", method, apierrors.IsMethodNotSupported) },
		func() error { return refused("media type", media, apierrors.IsUnsupportedMediaType) },
		func() error { return refused("accept", accept, apierrors.IsNotAcceptable) },
		func() error { return refused("malformed", malformed, apierrors.IsBadRequest) },
	)
}

// causesTellFields: operators read details.causes.
func causesTellFields(ctx context.Context, e *env, namespace string) error {
	_, err := e.typed.CoreV1().Pods(namespace).Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "bad", Labels: map[string]string{"-": "x"}},
		Spec:       corev1.PodSpec{RestartPolicy: "Sometimes", Containers: []corev1.Container{{Name: "a"}, {Name: "a", Image: "i"}}},
	}, metav1.CreateOptions{})
	var status apierrors.APIStatus
	if !errors.As(err, &status) || status.Status().Details == nil {
		return fmt.Errorf("no details in %v", err)
	}
	details := status.Status().Details
	found := map[string]metav1.CauseType{}
	for _, cause := range details.Causes {
		found[cause.Field] = cause.Type
	}
	return all(
		func() error { return expect("kind", details.Kind, "Pod") },
		func() error { return expect("name", details.Name, "bad") },
		func() error { return expect("code", status.Status().Code, 422) },
		func() error { return expect("labels", found["metadata.labels"], metav1.CauseTypeFieldValueInvalid) },
		func() error {
			return expect("image", found["spec.containers[0].image"], metav1.CauseTypeFieldValueRequired)
		},
		func() error {
			return expect("second name", found["spec.containers[1].name"], metav1.CauseTypeFieldValueDuplicate)
		},
		func() error {
			return expect("restartPolicy", found["spec.restartPolicy"], metav1.CauseTypeFieldValueNotSupported)
		},
	)
}

func unknownRoute(ctx context.Context, e *env, _ string) error {
	err := e.typed.CoreV1().RESTClient().Get().AbsPath("/apis/nobody.example.com/v1/things").Do(ctx).Error()
	return all(
		func() error { return refused("an unknown group", err, apierrors.IsNotFound) },
		func() error { return expect("its text", err, "the server could not find the requested resource") },
	)
}

func tooLarge(ctx context.Context, e *env, namespace string) error {
	_, err := e.typed.CoreV1().ConfigMaps(namespace).Create(ctx, configMap("large", map[string]string{"a": strings.Repeat("x", 2<<20)}, nil), metav1.CreateOptions{})
	if err := refused("2 MiB of data", err, apierrors.IsInvalid); err != nil {
		return err
	}
	_, err = e.typed.CoreV1().ConfigMaps(namespace).Create(ctx, configMap("large", map[string]string{"a": strings.Repeat("x", 4<<20)}, nil), metav1.CreateOptions{})
	return refused("4 MiB of body", err, apierrors.IsRequestEntityTooLargeError)
}
