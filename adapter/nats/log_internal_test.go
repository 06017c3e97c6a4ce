package nats

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

type reader struct {
	mu sync.Mutex
	ms []*cluster.Message
}

func (r *reader) Read(ms []*cluster.Message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ms = append(r.ms, ms...)
}

func (*reader) Lost(error)                 {}
func (*reader) Gap(cluster.Position, bool) {}

// connectHere connects to a NATS with JetStream in the bubble.
func connectHere(t *testing.T) *natsgo.Conn {
	t.Helper()
	ns, err := server.NewServer(&server.Options{DontListen: true, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() {
		ns.Shutdown()
		ns.WaitForShutdown()
	})
	if !ns.ReadyForConnections(10 * time.Second) {
		t.Fatal("NATS does not start")
	}
	conn, err := natsgo.Connect("", natsgo.InProcessServer(ns))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// storeOn returns a store with some options.
func storeOn(t *testing.T, conn *natsgo.Conn, o *Options) *store {
	t.Helper()
	if o.JetStream == nil {
		o.JetStream = new(JetStream)
	}
	with := o.withDefaults()
	s, err := newStore(&bus{conn: conn, o: &with})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestForgedRecord: what somebody without the key has written in the place of a record
// counts as nothing, and is written over.
func TestForgedRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &Options{Key: []byte("a key of the cluster")}
		s := storeOn(t, connectHere(t), o)
		l, err := s.Open("/test", "me", nil, new(reader))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		other := storeOn(t, s.bus.conn, &Options{Key: []byte("another key than that")})
		forger, err := other.Open("/test", "he", nil, new(reader))
		if err != nil {
			t.Fatal(err)
		}
		defer forger.Close()
		save := func(l cluster.Log, r *cluster.Record) *cluster.Record {
			t.Helper()
			r.Key, r.TTL = "pid", time.Hour
			if err := l.Save(t.Context(), []*cluster.Record{r}); err != nil {
				t.Fatal(err)
			}
			return r
		}
		mine := save(l, &cluster.Record{Value: []byte("mine")})
		save(forger, &cluster.Record{Value: []byte("forged"), Always: true})
		b, version, err := l.Load(t.Context(), "pid")
		if b != nil || err != nil {
			t.Errorf("Load = %q, %v", b, err)
		}
		if mine = save(l, &cluster.Record{Value: []byte("again"), Version: mine.Version}); !mine.Conflict {
			t.Error("what was forged was not noticed")
		}
		if mine = save(l, &cluster.Record{Value: []byte("again"), Version: version}); mine.Conflict {
			t.Error("what was forged stays")
		}
		if b, _, err := l.Load(t.Context(), "pid"); string(b) != "again" || err != nil {
			t.Errorf("Load = %q, %v", b, err)
		}
	})
}

// TestAppendOnce: what is appended again, since the answer was lost, is there once;
// and a place in a batch is a position.
func TestAppendOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := connectHere(t)
		s := storeOn(t, conn, new(Options))
		var r reader
		l, err := s.Open("/test", "me", nil, &r)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		var ms []*cluster.Message
		for i := range 5000 { // more than go into a batch
			v, err := cluster.NewValues("e", i)
			if err != nil {
				t.Fatal(err)
			}
			ms = append(ms, &cluster.Message{UID: "me", NSP: "/test", Type: cluster.Broadcast, Values: v, Seq: uint64(i + 1)})
		}
		for range 3 {
			if err := l.Append(t.Context(), ms); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if len(r.ms) != len(ms) {
			t.Fatalf("read %d of %d", len(r.ms), len(ms))
		}
		last := l.Start()
		for i, m := range r.ms {
			if m.Seq != uint64(i+1) || !m.Position.After(last) {
				t.Fatalf("message %d is %d at %v, behind %v", i, m.Seq, m.Position, last)
			}
			last = m.Position
		}
		if head, err := l.Head(t.Context()); head != last || err != nil {
			t.Errorf("Head = %v, %v; want %v", head, err, last)
		}
		for _, from := range []int{0, 4094, 4095, 4999} {
			after := r.ms[from].Position
			for n := from + 1; ; {
				more, err := l.After(t.Context(), after)
				if err != nil {
					t.Fatal(err)
				}
				if len(more) == 0 {
					if n != len(ms) {
						t.Errorf("behind %d there are %d; want %d", from, n, len(ms))
					}
					break
				}
				for _, m := range more {
					if m.Seq != uint64(n+1) {
						t.Fatalf("behind %d: %d; want %d", from, m.Seq, n+1)
					}
					n++
				}
				after = more[len(more)-1].Position
			}
			if ok, err := l.Reaches(t.Context(), r.ms[from].Position); !ok || err != nil {
				t.Errorf("Reaches(%d) = %v, %v", from, ok, err)
			}
		}
	})
}

func TestStreamName(t *testing.T) {
	for prefix, want := range map[string]string{"socketio": "socketio", "an.app": "an_app", "a b>*": "a_b__"} {
		if got := streamName(prefix); got != want {
			t.Errorf("streamName(%q) = %q; want %q", prefix, got, want)
		}
	}
}

// TestAges: of nodes that need the log for different times, those that need it longer
// get it, whoever looks at it last.
func TestAges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := connectHere(t)
		open := func(r *adapter.Recovery) cluster.Log {
			l, err := storeOn(t, conn, new(Options)).Open("/test", "me", r, new(reader))
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		for i, step := range []struct {
			r    *adapter.Recovery
			want time.Duration
		}{
			{&adapter.Recovery{MaxAge: 2 * time.Minute}, 2 * time.Minute},
			{nil, 2 * time.Minute},
			{&adapter.Recovery{MaxAge: time.Hour}, time.Hour},
			{&adapter.Recovery{MaxAge: 3 * time.Minute}, time.Hour},
		} {
			l := open(step.r)
			defer l.Close()
			have := l.(*log).store.log.Load().CachedInfo().Config
			if have.MaxAge != step.want || have.Duplicates != step.want {
				t.Errorf("node %d: the log is kept for %v, and known to be there for %v; want %v", i, have.MaxAge, have.Duplicates, step.want)
			}
		}
	})
}
