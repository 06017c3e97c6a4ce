package nats_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
	"github.com/sockeye-go/socketio/adapter/cluster"
	"github.com/sockeye-go/socketio/adapter/nats"
)

// recovering makes nodes with a connection each, which Kill breaks.
func recovering(t *testing.T, b *broker, hosts []*adaptertest.Host, o *nats.Options) *adaptertest.Cluster {
	c := &adaptertest.Cluster{Hosts: hosts}
	var conns []func()
	for _, h := range hosts {
		conn := b.connect(t)
		a, err := nats.New(conn, o)(h)
		if err != nil {
			t.Fatal(err)
		}
		c.Adapters = append(c.Adapters, a)
		conns = append(conns, conn.Close)
	}
	c.Kill = func(i int) { conns[i]() }
	return c
}

func TestJetStreamContract(t *testing.T) {
	for name, o := range map[string]nats.Options{
		"memory":        {JetStream: &nats.JetStream{Memory: true}},
		"files":         {JetStream: &nats.JetStream{}},
		"authenticated": {JetStream: &nats.JetStream{Memory: true}, Key: []byte("our secret")},
	} {
		t.Run(name, func(t *testing.T) {
			adaptertest.Run(t, 3, func(t *testing.T, hosts []*adaptertest.Host) []adapter.Adapter {
				return recovering(t, startStoring(t), hosts, &o).Adapters
			})
		})
	}
}

// TestJetStreamRecovery: clients come back to any node.
func TestJetStreamRecovery(t *testing.T) {
	for name, o := range map[string]nats.Options{
		"memory": {JetStream: &nats.JetStream{Memory: true}},
		"files":  {JetStream: &nats.JetStream{}, Key: []byte("our secret"), Prefix: "an.app"},
	} {
		t.Run(name, func(t *testing.T) {
			adaptertest.RunRecovery(t, func(t *testing.T, hosts []*adaptertest.Host) *adaptertest.Cluster {
				return recovering(t, startStoring(t), hosts, &o)
			})
		})
	}
}

// storing calls f in a bubble with three nodes.
func storing(t *testing.T, o nats.JetStream, f func(t *testing.T, b *broker, c *adaptertest.Cluster)) {
	synctest.Test(t, func(t *testing.T) {
		b := startStoring(t)
		c := recovering(t, b, adaptertest.NewRecoveringHosts(3), &nats.Options{JetStream: &o})
		synctest.Wait()
		f(t, b, c)
		for _, a := range c.Adapters {
			a.Close()
		}
	})
}

func emit(t *testing.T, a adapter.Adapter, events ...string) {
	t.Helper()
	for _, e := range events {
		if err := a.Broadcast(adapter.Target{}, adaptertest.Kept(e)); err != nil {
			t.Errorf("Broadcast %s: %v", e, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := a.(adapter.Flusher).Flush(ctx); err != nil {
		t.Errorf("Flush: %v", err)
	}
}

// TestJetStreamRestart: NATS ends and comes back. With files everything is there
// that was confirmed; with memory the log begins anew, and says so.
func TestJetStreamRestart(t *testing.T) {
	for name, memory := range map[string]bool{"files": false, "memory": true} {
		t.Run(name, func(t *testing.T) {
			storing(t, nats.JetStream{Memory: memory}, func(t *testing.T, b *broker, c *adaptertest.Cluster) {
				gone, here := adaptertest.NewClient(t, c.Adapters[0], "x"), adaptertest.NewClient(t, c.Adapters[1])
				emit(t, c.Adapters[2], "one")
				here.Want(t, "one")
				gone.Want(t, "one")
				gone.Cut()
				emit(t, c.Adapters[2], "two")
				here.Want(t, "two")
				b.stop()
				synctest.Wait()
				var degraded *cluster.DegradedError
				if err := c.Adapters[1].Broadcast(adapter.Target{}, adaptertest.Kept("here")); !errors.As(err, &degraded) {
					t.Errorf("Broadcast while NATS is away: %v", err)
				}
				here.Want(t, "here")
				b.start()
				<-time.After(20 * time.Second) // of the bubble: until all is as before
				synctest.Wait()
				for i, a := range c.Adapters {
					if err := a.Health(); err != nil {
						t.Errorf("node %d: Health = %v", i, err)
					}
				}
				emit(t, c.Adapters[0], "three")
				emit(t, c.Adapters[1], "four")
				here.Want(t, "three four")
				if memory {
					gone.Refused(t, c.Adapters[2], "")
					return
				}
				gone.Back(t, c.Adapters[2])
				gone.Want(t, "two three four")
			})
		})
	}
}

// TestJetStreamFreshNode: a node that was not there reads from the log what a client
// missed, as far back as it reaches.
func TestJetStreamFreshNode(t *testing.T) {
	storing(t, nats.JetStream{MaxMessages: 20}, func(t *testing.T, b *broker, c *adaptertest.Cluster) {
		near, far := adaptertest.NewClient(t, c.Adapters[0]), adaptertest.NewClient(t, c.Adapters[0])
		emit(t, c.Adapters[1], "before")
		far.Want(t, "before")
		near.Want(t, "before")
		far.Cut()
		want := ""
		for i := range 15 {
			emit(t, c.Adapters[1], fmt.Sprint("early", i))
		}
		near.Lose()
		synctest.Wait()
		near.Read(-1)
		emit(t, c.Adapters[1], "last")
		near.Want(t, "last")
		near.Cut()
		for i := range 12 {
			want += fmt.Sprint(" late", i)
			emit(t, c.Adapters[1], fmt.Sprint("late", i))
		}
		synctest.Wait()
		fresh := b.node(t, adaptertest.NewRecoveringHosts(1)[0], &nats.Options{JetStream: &nats.JetStream{MaxMessages: 20}})
		defer fresh.Close()
		synctest.Wait()
		far.Refused(t, fresh, adapter.LogTooShort)
		near.Back(t, fresh)
		near.Want(t, want[1:])
	})
}

// TestJetStreamTooLarge: what is larger than NATS takes is an error of its own, and
// the rest goes on.
func TestJetStreamTooLarge(t *testing.T) {
	storing(t, nats.JetStream{Memory: true}, func(t *testing.T, b *broker, c *adaptertest.Cluster) {
		cl := adaptertest.NewClient(t, c.Adapters[1])
		if err := c.Adapters[0].Broadcast(adapter.Target{}, adaptertest.Kept("large", strings.Repeat("x", 1<<20))); err != nil {
			t.Error(err)
		}
		if err := c.Adapters[0].(adapter.Flusher).Flush(t.Context()); err == nil || !strings.Contains(err.Error(), "max_payload") || !strings.Contains(c.Hosts[0].Log(), "max_payload") {
			t.Errorf("Flush = %v; nothing is said of what was too large: %s", err, c.Hosts[0].Log())
		}
		var events []string // of two messages of NATS
		for i := range 3 {
			events = append(events, fmt.Sprint(i, strings.Repeat("y", 600_000)))
		}
		emit(t, c.Adapters[0], events...)
		cl.Want(t, strings.Join(events, " "))
	})
}

// TestNoJetStream: a NATS without it is an error in words.
func TestNoJetStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := startBroker(t)
		if a, err := nats.New(b.connect(t), &nats.Options{JetStream: &nats.JetStream{}})(adaptertest.NewHosts(1)[0]); err == nil || !strings.Contains(err.Error(), "JetStream was not there") {
			t.Errorf("%v, %v", a, err)
		}
	})
}
