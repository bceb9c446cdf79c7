package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

var electionChecks = []check{
	{"leader_election", leaderElection},
	{"leader_election_through_a_restart", leaderElectionThroughARestart},
}

// A candidate for a lease.
type candidate struct {
	name    string
	leading atomic.Bool
	cancel  context.CancelFunc
	done    chan struct{}
}

func stand(ctx context.Context, e *env, namespace, name string, both *atomic.Bool, others func() []*candidate) (*candidate, error) {
	lock, err := resourcelock.New(resourcelock.LeasesResourceLock, namespace, "leader", e.typed.CoreV1(), e.typed.CoordinationV1(), resourcelock.ResourceLockConfig{Identity: name})
	if err != nil {
		return nil, err
	}
	c := &candidate{name: name, done: make(chan struct{})}
	ctx, c.cancel = context.WithCancel(ctx)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: 3 * time.Second, RenewDeadline: 2 * time.Second, RetryPeriod: 200 * time.Millisecond, ReleaseOnCancel: true, Name: name,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) {
				for _, other := range others() {
					if other != nil && other != c && other.leading.Load() {
						both.Store(true)
					}
				}
				c.leading.Store(true)
			},
			OnStoppedLeading: func() { c.leading.Store(false) },
		},
	})
	if err != nil {
		return nil, err
	}
	go func() {
		defer close(c.done)
		// An elector that lost its lease is done: a candidate stands again.
		for ctx.Err() == nil {
			elector.Run(ctx)
		}
	}()
	return c, nil
}

// leaderElection: one of two leads; when it gives up the other takes over; it stands again and takes over back.
func leaderElection(ctx context.Context, e *env, namespace string) error {
	var both atomic.Bool
	var candidates []*candidate
	others := func() []*candidate { return candidates }
	for _, name := range []string{"one", "two"} {
		c, err := stand(ctx, e, namespace, name, &both, others)
		if err != nil {
			return err
		}
		defer c.cancel()
		candidates = append(candidates, c)
		if name == "one" {
			if err := eventually(ctx, "one leads", func() error { return expect("leading", c.leading.Load(), true) }); err != nil {
				return err
			}
		}
	}
	one, two := candidates[0], candidates[1]
	time.Sleep(500 * time.Millisecond)
	if err := expect("two leads", two.leading.Load(), false); err != nil {
		return err
	}
	one.cancel()
	<-one.done
	if err := eventually(ctx, "two leads", func() error { return expect("leading", two.leading.Load(), true) }); err != nil {
		return err
	}
	// Somebody takes the lease away: the leader sees it and steps down, and nobody leads while that one holds it.
	leases := e.typed.CoordinationV1().Leases(namespace)
	if err := eventually(ctx, "the lease is taken", func() error {
		lease, err := leases.Get(ctx, "leader", metav1.GetOptions{})
		if err != nil {
			return err
		}
		lease.Spec.HolderIdentity = ptr("thief")
		lease.Spec.RenewTime = &metav1.MicroTime{Time: time.Now()}
		lease.Spec.LeaseDurationSeconds = ptr(int32(3))
		_, err = leases.Update(ctx, lease, metav1.UpdateOptions{})
		return err
	}); err != nil {
		return err
	}
	if err := eventually(ctx, "two steps down", func() error { return expect("leading", two.leading.Load(), false) }); err != nil {
		return err
	}
	if err := eventually(ctx, "two leads again", func() error { return expect("leading", two.leading.Load(), true) }); err != nil {
		return err
	}
	lease, err := leases.Get(ctx, "leader", metav1.GetOptions{})
	if err != nil {
		return err
	}
	return all(
		func() error { return expect("holder", *lease.Spec.HolderIdentity, "two") },
		func() error { return expect("transitions", *lease.Spec.LeaseTransitions >= 2, true) },
		func() error { return expect("both led at once", both.Load(), false) },
	)
}

// leaderElectionThroughARestart: a server that comes back soon does not cost the lease; and somebody leads.
func leaderElectionThroughARestart(ctx context.Context, e *env, namespace string) error {
	var both atomic.Bool
	var candidates []*candidate
	for _, name := range []string{"one", "two"} {
		c, err := stand(ctx, e, namespace, name, &both, func() []*candidate { return candidates })
		if err != nil {
			return err
		}
		defer c.cancel()
		candidates = append(candidates, c)
	}
	somebody := func() error {
		for _, c := range candidates {
			if c.leading.Load() {
				return nil
			}
		}
		return fmt.Errorf("nobody leads")
	}
	if err := eventually(ctx, "somebody leads", somebody); err != nil {
		return err
	}
	if err := e.restart(); err != nil {
		return err
	}
	before, err := e.typed.CoordinationV1().Leases(namespace).Get(ctx, "leader", metav1.GetOptions{})
	if err != nil {
		return err
	}
	return all(
		func() error { return eventually(ctx, "somebody leads again", somebody) },
		func() error {
			return eventually(ctx, "the lease is renewed", func() error {
				now, err := e.typed.CoordinationV1().Leases(namespace).Get(ctx, "leader", metav1.GetOptions{})
				if err != nil {
					return err
				}
				return expect("renewed", now.Spec.RenewTime.After(before.Spec.RenewTime.Time), true)
			})
		},
		func() error { return expect("both led at once", both.Load(), false) },
	)
}
