package cluster_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

var errBroken = errors.New("broken")

// A brokenStore takes one record more, and then none, while it is broken; a
// brokenBus does not know then who is there.
type brokenStore struct {
	*cluster.Shelf
	broken *atomic.Bool
}

func (s brokenStore) Open(nsp, uid string, recovery *adapter.Recovery, r cluster.LogReader) (cluster.Log, error) {
	l, err := s.Shelf.Open(nsp, uid, recovery, r)
	return &brokenLog{Log: l, broken: s.broken}, err
}

type brokenLog struct {
	cluster.Log
	broken *atomic.Bool
	saved  atomic.Int32
}

func (l *brokenLog) Save(ctx context.Context, rs []*cluster.Record) error {
	if l.broken.Load() && l.saved.Add(1) > 1 {
		return errBroken
	}
	return l.Log.Save(ctx, rs)
}

type brokenBus struct {
	*cluster.Hub
	broken *atomic.Bool
}

func (b brokenBus) Open(nsp, uid string, r cluster.Receiver) (cluster.Channel, error) {
	c, err := b.Hub.Open(nsp, uid, r)
	return brokenChannel{c, b.broken}, err
}

type brokenChannel struct {
	cluster.Channel
	broken *atomic.Bool
}

func (c brokenChannel) Reaches(context.Context, string) (bool, error) {
	if c.broken.Load() {
		return false, errBroken
	}
	return true, nil
}

// TestStoreAwayInClaim: a session that a node has taken, and can neither use nor
// give back since the store is away, is not lost.
func TestStoreAwayInClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, shelf, hosts := cluster.NewHub(), cluster.NewShelf(), adaptertest.NewRecoveringHosts(2)
		as := ordered(t, hub, shelf, hosts[:1])
		var broken atomic.Bool
		far, err := cluster.NewOrderedFactory(brokenBus{hub, &broken}, brokenStore{shelf, &broken}, nil)(hosts[1])
		if err != nil {
			t.Fatal(err)
		}
		as = append(as, far)
		defer closeAll(as)
		c := adaptertest.NewClient(t, as[0], "x")
		emit(t, as[0], "first")
		c.Want(t, "first")
		c.Cut()
		synctest.Wait()
		broken.Store(true)
		c.Refused(t, far, "")
		broken.Store(false)
		emit(t, as[0], "missed")
		c.Back(t, as[0])
		c.Want(t, "missed")
	})
}
