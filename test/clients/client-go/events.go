package main

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/tools/record"
)

var eventChecks = []check{
	{"event_recorder_core", eventRecorderCore},
	{"event_recorder_events", eventRecorderEvents},
}

// eventRecorderCore: the recorder of most controllers: the second of its kind is a patch of the first, and many alike
// become one.
func eventRecorderCore(ctx context.Context, e *env, namespace string) error {
	object, err := e.typed.CoreV1().ConfigMaps(namespace).Create(ctx, configMap("about", nil, nil), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	broadcaster := record.NewBroadcasterWithCorrelatorOptions(record.CorrelatorOptions{QPS: 100, BurstSize: 100})
	defer broadcaster.Shutdown()
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: e.typed.CoreV1().Events("")})
	recorder := broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "client-go-check", Host: "here"})
	for range 5 {
		recorder.Event(object, corev1.EventTypeNormal, "Repeated", "the same again")
	}
	recorder.AnnotatedEventf(object, map[string]string{"a": "b"}, corev1.EventTypeWarning, "Once", "number %d", 1)
	return eventually(ctx, "events are recorded", func() error {
		list, err := e.typed.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.kind=ConfigMap,involvedObject.name=about"})
		if err != nil {
			return err
		}
		counts := map[string]int32{}
		for _, event := range list.Items {
			counts[event.Reason] += event.Count
			if event.Reason == "Once" && event.Annotations["a"] != "b" {
				return fmt.Errorf("no annotation")
			}
		}
		return all(
			func() error { return expect("objects", len(list.Items), 2) },
			func() error { return expect("counts", counts, map[string]int32{"Repeated": 5, "Once": 1}) },
		)
	})
}

// eventRecorderEvents: the newer recorder, with series.
func eventRecorderEvents(ctx context.Context, e *env, namespace string) error {
	object, err := e.typed.CoreV1().ConfigMaps(namespace).Create(ctx, configMap("about", nil, nil), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	other, err := e.typed.CoreV1().ConfigMaps(namespace).Create(ctx, configMap("related", nil, nil), metav1.CreateOptions{})
	if err != nil {
		return err
	}
	broadcaster := events.NewBroadcaster(&events.EventSinkImpl{Interface: e.typed.EventsV1()})
	defer broadcaster.Shutdown()
	if err := broadcaster.StartRecordingToSinkWithContext(ctx); err != nil {
		return err
	}
	recorder := broadcaster.NewRecorder(scheme.Scheme, "example.com/client-go-check")
	recorder.Eventf(object, other, corev1.EventTypeNormal, "Repeated", "Repeating", "the same again")
	find := func() (*eventsv1.Event, error) {
		list, err := e.typed.EventsV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: "reason=Repeated"})
		if err != nil {
			return nil, err
		}
		if len(list.Items) != 1 {
			return nil, fmt.Errorf("%d events", len(list.Items))
		}
		return &list.Items[0], nil
	}
	if err := eventually(ctx, "the event is recorded", func() error {
		event, err := find()
		if err != nil {
			return err
		}
		return all(
			func() error { return expect("regarding", event.Regarding.Name, "about") },
			func() error { return expect("related", event.Related.Name, "related") },
			func() error { return expect("action", event.Action, "Repeating") },
			func() error { return expect("controller", event.ReportingController, "example.com/client-go-check") },
			func() error { return expect("series", event.Series == nil, true) },
			func() error { return expect("microseconds", event.EventTime.IsZero(), false) },
		)
	}); err != nil {
		return err
	}
	recorder.Eventf(object, other, corev1.EventTypeNormal, "Repeated", "Repeating", "the same again")
	return eventually(ctx, "it becomes a series", func() error {
		event, err := find()
		if err != nil {
			return err
		}
		if event.Series == nil {
			return fmt.Errorf("no series")
		}
		core, err := e.typed.CoreV1().Events(namespace).Get(ctx, event.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		return all(
			func() error { return expect("count", event.Series.Count, 2) },
			func() error { return expect("the same in core/v1", core.Series.Count, 2) },
			func() error { return expect("note in core/v1", core.Message, "the same again") },
		)
	})
}
