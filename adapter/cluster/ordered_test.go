package cluster_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

// orderedNodes makes two nodes that recover, with a client on the first.
func orderedNodes(t *testing.T, f func(*testing.T, *cluster.Shelf, []adapter.Adapter, []*adaptertest.Host, *adaptertest.Client)) {
	synctest.Test(t, func(t *testing.T) {
		hub, shelf, hosts := cluster.NewHub(), cluster.NewShelf(), adaptertest.NewRecoveringHosts(2)
		as := ordered(t, hub, shelf, hosts)
		defer closeAll(as)
		c := adaptertest.NewClient(t, as[0], "x")
		synctest.Wait()
		f(t, shelf, as, hosts, c)
	})
}

func emit(t *testing.T, a adapter.Adapter, event string) error {
	t.Helper()
	err := a.Broadcast(adapter.Target{}, adaptertest.Kept(event))
	synctest.Wait()
	return err
}

// TestStoreAway: sockets of the node are served, the caller is told, and who was
// served so is believed to have it only if it shows.
func TestStoreAway(t *testing.T) {
	orderedNodes(t, func(t *testing.T, shelf *cluster.Shelf, as []adapter.Adapter, _ []*adaptertest.Host, c *adaptertest.Client) {
		other := adaptertest.NewClient(t, as[0])
		emit(t, as[0], "before")
		c.Want(t, "before")
		other.Want(t, "before")
		shelf.Away(true)
		synctest.Wait()
		err := emit(t, as[0], "here")
		if _, ok := errors.AsType[*cluster.DegradedError](err); !ok || as[0].Health() == nil {
			t.Errorf("Broadcast = %v, Health = %v; want a DegradedError", err, as[0].Health())
		}
		c.Want(t, "here")
		other.Lose() // it does not arrive
		shelf.Away(false)
		synctest.Wait()
		if err := as[0].Health(); err != nil {
			t.Errorf("Health = %v", err)
		}
		other.Cut()
		other.Refused(t, as[1], adapter.LogTooShort)
		emit(t, as[1], "after")
		c.Want(t, "after")
		c.Cut()
		c.Back(t, as[1])
		emit(t, as[0], "end")
		c.Want(t, "end")
	})
}

// TestConfirmationLost: what the store has taken, without having been able to say
// so, is there once.
func TestConfirmationLost(t *testing.T) {
	orderedNodes(t, func(t *testing.T, shelf *cluster.Shelf, as []adapter.Adapter, _ []*adaptertest.Host, c *adaptertest.Client) {
		far := adaptertest.NewClient(t, as[1])
		shelf.Mute(true)
		for i := range 3 {
			emit(t, as[0], fmt.Sprint(i))
		}
		as[0].Join(c.Member(), "y")
		flushed := make(chan error)
		go func() { flushed <- as[0].(adapter.Flusher).Flush(t.Context()) }()
		time.Sleep(time.Minute)
		select {
		case err := <-flushed:
			t.Errorf("Flush = %v while nothing is confirmed", err)
		default:
		}
		shelf.Mute(false)
		if err := <-flushed; err != nil {
			t.Errorf("Flush = %v", err)
		}
		c.Want(t, "0 1 2")
		far.Want(t, "0 1 2")
		c.Back(t, as[1])
		if rooms := c.Rooms(); !slices.Equal(rooms, []string{"x", "y"}) {
			t.Errorf("rooms %q", rooms)
		}
	})
}

// TestStoreForgets: a log that begins anew is noticed, and the sessions are there
// again.
func TestStoreForgets(t *testing.T) {
	orderedNodes(t, func(t *testing.T, shelf *cluster.Shelf, as []adapter.Adapter, hosts []*adaptertest.Host, c *adaptertest.Client) {
		emit(t, as[0], "old")
		c.Want(t, "old")
		behind := adaptertest.NewClient(t, as[0])
		shelf.Forget()
		synctest.Wait()
		if !strings.Contains(hosts[0].Log(), "messages of the log were lost") {
			t.Errorf("log %q", hosts[0].Log())
		}
		emit(t, as[1], "new")
		c.Want(t, "new")
		c.Cut()
		emit(t, as[1], "missed")
		c.Back(t, as[1])
		c.Want(t, "missed")
		behind.Lose()
		behind.Cut()
		behind.Refused(t, as[1], adapter.LogTooShort)
	})
}

// TestIdleClient: whoever was sent nothing for long needs no long log, on a node
// that has read none of it.
func TestIdleClient(t *testing.T) {
	orderedNodes(t, func(t *testing.T, shelf *cluster.Shelf, as []adapter.Adapter, _ []*adaptertest.Host, c *adaptertest.Client) {
		busy := adaptertest.NewClient(t, as[0], "y")
		emit(t, as[0], "first")
		c.Want(t, "first")
		for i := range 50 {
			as[0].Broadcast(adapter.Target{Rooms: []string{"y"}}, adaptertest.Kept(fmt.Sprint(i)))
		}
		synctest.Wait()
		c.Cut()
		busy.Read(10)
		busy.Cut()
		emit(t, as[0], "missed")
		shelf.Trim(3)
		fresh := ordered(t, cluster.NewHub(), shelf, adaptertest.NewRecoveringHosts(1))
		defer closeAll(fresh)
		synctest.Wait()
		c.Back(t, fresh[0])
		c.Want(t, "missed")
		busy.Refused(t, fresh[0], adapter.LogTooShort)
	})
}

// TestAbsence: a session lasts as long as it should, and a killed node's as long
// after it was heard of last.
func TestAbsence(t *testing.T) {
	orderedNodes(t, func(t *testing.T, shelf *cluster.Shelf, as []adapter.Adapter, _ []*adaptertest.Host, c *adaptertest.Client) {
		killed, late := adaptertest.NewClient(t, as[0]), adaptertest.NewClient(t, as[0])
		time.Sleep(3 * time.Hour) // records of sockets that stay are renewed
		c.Cut()
		synctest.Wait()
		if n := as[0].(adapter.Recoverer).Stats().Sessions; n != 1 {
			t.Errorf("%d sessions of clients that are away; want 1", n)
		}
		shelf.Kill(as[0].(*cluster.Ordered).UID())
		as[0].Close()
		time.Sleep(50 * time.Second)
		killed.Back(t, as[1])
		time.Sleep(15 * time.Second)
		c.Refused(t, as[1], adapter.UnknownSession)
		late.Refused(t, as[1], adapter.UnknownSession)
	})
}

// TestMaxSessions: a node forgets who has been away longest, and the store does
// not.
func TestMaxSessions(t *testing.T) {
	orderedNodes(t, func(t *testing.T, shelf *cluster.Shelf, as []adapter.Adapter, _ []*adaptertest.Host, c *adaptertest.Client) {
		c.Cut()
		for range 1000 { // as many as a node keeps
			adaptertest.NewClient(t, as[0]).Cut()
		}
		synctest.Wait()
		if n := as[0].(adapter.Recoverer).Stats().Sessions; n != 1000 {
			t.Errorf("%d sessions; want 1000", n)
		}
		emit(t, as[1], "missed")
		c.Back(t, as[0])
		c.Want(t, "missed")
	})
}

// TestManyLeft: of rooms that a client was taken out of while it was away, more than
// are remembered, it gets what was for it; and cut in the middle of that, it gets the
// rest or is told that it cannot.
func TestManyLeft(t *testing.T) {
	orderedNodes(t, func(t *testing.T, shelf *cluster.Shelf, as []adapter.Adapter, _ []*adaptertest.Host, c *adaptertest.Client) {
		const rooms = 150
		name := func(i int) string { return fmt.Sprint("room", i) }
		for i := range rooms {
			as[0].Join(c.Member(), name(i))
		}
		synctest.Wait()
		c.Cut()
		want := ""
		for i := range rooms {
			if err := as[1].Broadcast(adapter.Target{Rooms: []string{name(i)}}, adaptertest.Kept(fmt.Sprint(i))); err != nil {
				t.Fatal(err)
			}
			if err := as[1].SocketsLeave(adapter.Target{Rooms: []string{name(i)}}, name(i)); err != nil {
				t.Fatal(err)
			}
			want += fmt.Sprint(i, " ")
		}
		synctest.Wait()
		c.Back(t, as[1])
		c.Read(5)
		c.Cut()
		synctest.Wait()
		claim, err := c.Claim(as[0])
		if refused, ok := errors.AsType[*adapter.RefusedError](err); ok && refused.Reason == adapter.LogTooShort {
			return
		}
		if err != nil || !c.Resume(claim, as[0]) {
			t.Fatal(err)
		}
		if got := c.Events() + " "; got != want {
			t.Errorf("got %q; want %q", got, want)
		}
	})
}
