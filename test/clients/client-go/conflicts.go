package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
)

var conflictChecks = []check{
	{"conflict_retry_from_16", conflictRetry},
	{"patches_from_16", patchesFrom16},
	{"create_race", createRace},
	{"more_at_once_than_are_served", moreAtOnce},
}

const workers, rounds = 16, 15

func together(work func(worker int) error) error {
	errs := make([]error, workers)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() { errs[w] = work(w) })
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// conflictRetry: a counter that 16 increment by read, change, update is exact.
func conflictRetry(ctx context.Context, e *env, namespace string) error {
	client := e.typed.CoreV1().ConfigMaps(namespace)
	if _, err := client.Create(ctx, configMap("counter", map[string]string{"n": "0"}, nil), metav1.CreateOptions{}); err != nil {
		return err
	}
	patient := wait.Backoff{Steps: 5000, Duration: 5 * time.Millisecond, Factor: 1, Jitter: 1}
	err := together(func(int) error {
		for range rounds {
			if err := retry.RetryOnConflict(patient, func() error {
				current, err := client.Get(ctx, "counter", metav1.GetOptions{})
				if err != nil {
					return err
				}
				n, err := strconv.Atoi(current.Data["n"])
				if err != nil {
					return err
				}
				current.Data["n"] = strconv.Itoa(n + 1)
				_, err = client.Update(ctx, current, metav1.UpdateOptions{})
				return err
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	final, err := client.Get(ctx, "counter", metav1.GetOptions{})
	if err != nil {
		return err
	}
	return expect("the counter", final.Data["n"], workers*rounds)
}

// patchesFrom16: patches without a version never conflict, none is lost.
func patchesFrom16(ctx context.Context, e *env, namespace string) error {
	client := e.typed.CoreV1().ConfigMaps(namespace)
	if _, err := client.Create(ctx, configMap("board", nil, nil), metav1.CreateOptions{}); err != nil {
		return err
	}
	err := together(func(worker int) error {
		for i := range rounds {
			body := fmt.Sprintf(`{"data":{"w%d-%d":"x"}}`, worker, i)
			if _, err := client.Patch(ctx, "board", types.StrategicMergePatchType, []byte(body), metav1.PatchOptions{}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	final, err := client.Get(ctx, "board", metav1.GetOptions{})
	if err != nil {
		return err
	}
	return expect("keys", len(final.Data), workers*rounds)
}

// moreAtOnce: who is told to come back later (429, Retry-After) does, inside the client: nothing is lost.
func moreAtOnce(ctx context.Context, e *env, namespace string) error {
	for i := range 20 {
		if _, err := e.typed.CoreV1().ConfigMaps(namespace).Create(ctx, configMap(fmt.Sprint("large-", i), map[string]string{"a": strings.Repeat("x", 40_000)}, nil), metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	errs := make(chan error, 300)
	for range cap(errs) {
		go func() {
			list, err := e.dynamic.Resource(configMaps).Namespace(namespace).List(ctx, metav1.ListOptions{ResourceVersion: "0"})
			if err == nil && len(list.Items) < 20 {
				err = fmt.Errorf("only %d items", len(list.Items))
			}
			errs <- err
		}()
	}
	for range cap(errs) {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

// createRace: of 16 that create one name, one does.
func createRace(ctx context.Context, e *env, namespace string) error {
	var mu sync.Mutex
	won := 0
	err := together(func(int) error {
		_, err := e.typed.CoreV1().ConfigMaps(namespace).Create(ctx, configMap("first", nil, nil), metav1.CreateOptions{})
		if err == nil {
			mu.Lock()
			won++
			mu.Unlock()
			return nil
		}
		return refused("the second", err, apierrors.IsAlreadyExists)
	})
	if err != nil {
		return err
	}
	return expect("winners", won, 1)
}
