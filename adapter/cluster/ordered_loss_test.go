package cluster_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

// A slowStore hands over late what is appended, and does not take events of one
// name, as NATS does with what is too large.
type slowStore struct {
	*cluster.Shelf
	leaves string
}

var errTooLarge = errors.New("too large")

func (s slowStore) Open(nsp, uid string, recovery *adapter.Recovery, r cluster.LogReader) (cluster.Log, error) {
	l, err := s.Shelf.Open(nsp, uid, recovery, slowReader{r})
	return slowLog{l, s.leaves}, err
}

type slowReader struct{ cluster.LogReader }

func (r slowReader) Read(ms []*cluster.Message) {
	time.Sleep(time.Second)
	r.LogReader.Read(ms)
}

type slowLog struct {
	cluster.Log
	leaves string
}

func (l slowLog) Append(ctx context.Context, ms []*cluster.Message) error {
	var kept []*cluster.Message
	var left error
	for _, m := range ms {
		if event, _, err := m.Values.Event(); err == nil && event == l.leaves {
			left = &cluster.EncodeError{Err: errTooLarge}
			continue
		}
		kept = append(kept, m)
	}
	return errors.Join(l.Log.Append(ctx, kept), left)
}

// TestNotTaken: what the store does not take keeps nothing else from the sockets
// of the node, and Flush tells of it.
func TestNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := adaptertest.NewRecoveringHosts(1)
		a, err := cluster.NewOrderedFactory(cluster.NewHub(), slowStore{cluster.NewShelf(), "huge"}, &cluster.Options{})(hosts[0])
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		c := adaptertest.NewClient(t, a)
		for _, event := range []string{"1", "huge", "2"} {
			if err := a.Broadcast(adapter.Target{}, adaptertest.Kept(event)); err != nil {
				t.Errorf("Broadcast: %v", err)
			}
		}
		if err := a.(adapter.Flusher).Flush(t.Context()); !errors.Is(err, errTooLarge) {
			t.Errorf("Flush = %v; want %v", err, errTooLarge)
		}
		if err := a.(adapter.Flusher).Flush(t.Context()); err != nil {
			t.Errorf("second Flush = %v", err)
		}
		time.Sleep(time.Minute)
		c.Want(t, "1 2")
	})
}

// TestBehindGap: what this node appended and is still there when the log was
// trimmed before it was read, its own sockets get.
func TestBehindGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts, shelf := adaptertest.NewRecoveringHosts(1), cluster.NewShelf()
		a, err := cluster.NewOrderedFactory(cluster.NewHub(), slowStore{Shelf: shelf}, &cluster.Options{})(hosts[0])
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		c := adaptertest.NewClient(t, a)
		for _, event := range []string{"1", "2", "3", "4"} {
			emit(t, a, event)
		}
		shelf.Trim(2)
		time.Sleep(time.Minute)
		c.Want(t, "1 3 4")
	})
}

// TestStoreAwayAtClose: what was not confirmed when the node closed, Flush does not
// confirm.
func TestStoreAwayAtClose(t *testing.T) {
	orderedNodes(t, func(t *testing.T, shelf *cluster.Shelf, as []adapter.Adapter, _ []*adaptertest.Host, c *adaptertest.Client) {
		shelf.Mute(true)
		emit(t, as[0], "here")
		flushed := make(chan error, 1)
		go func() { flushed <- as[0].(*cluster.Ordered).Adapter.Flush(t.Context()) }()
		synctest.Wait()
		as[0].Close()
		if err := <-flushed; err == nil {
			t.Error("Flush = nil")
		}
	})
}

// TestManyReleases: a client that gives its session back again and again costs no
// more than another.
func TestManyReleases(t *testing.T) {
	orderedNodes(t, func(t *testing.T, shelf *cluster.Shelf, as []adapter.Adapter, _ []*adaptertest.Host, c *adaptertest.Client) {
		synctest.Wait()
		c.Cut()
		for range 100 {
			claim, err := c.Claim(as[0])
			if err != nil {
				t.Fatal(err)
			}
			claim.Release()
		}
		if n := as[0].(*cluster.Ordered).Absences(); n != 1 {
			t.Errorf("%d absences of one client; want 1", n)
		}
		time.Sleep(time.Hour)
		if n := as[0].(*cluster.Ordered).Absences(); n != 0 {
			t.Errorf("%d absences; want 0", n)
		}
		c.Refused(t, as[0], adapter.UnknownSession)
	})
}
