// Package idle knows when each socket last sent something, ends those that have
// not for long, and reports what the sockets of a namespace hold.
//
//	tracker := idle.New(srv.Namespace, nil) // after an hour, looked at every 5 minutes
//	defer tracker.Close()
//	http.Handle("/debug/sockets", tracker)
//
// Heartbeats are no activity: a page that is merely open is idle. What a socket is
// sent does not count either. An event that arrives costs three atomic additions, a
// look-up and a look at the clock (BenchmarkEvent); Emit is not touched.
package idle

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio"
)

// Options configure a [Tracker]. Zero fields stand for their defaults.
type Options struct {
	// Interval is the time between two sweeps. Default 5 minutes.
	Interval time.Duration
	// MaxIdle is how long a socket may send nothing before a sweep closes its
	// connection. Default 1 hour; negative: for ever.
	MaxIdle time.Duration
	// Keep exempts sockets from the sweep.
	Keep func(*socketio.Socket) bool
	// OnIdle is called before an idle socket is disconnected; what it emits
	// arrives. It must not wait.
	OnIdle func(*socketio.Socket, Activity)
}

// An Activity is what is known of one socket.
type Activity struct {
	ID           string    `json:"id"`
	ConnectTime  time.Time `json:"connectTime"`
	LastActivity time.Time `json:"lastActivity"`
	Messages     int64     `json:"messageCount"` // events received
	Bytes        int64     `json:"bytes"`        // of their names, arguments and attachments
	Buffered     int       `json:"buffered"`     // bytes that wait for the client on its connection
}

// A Report is what is known of all, and of the process.
type Report struct {
	ActiveSockets int           `json:"activeSockets"`
	Messages      int64         `json:"messages"` // of those that left too
	Bytes         int64         `json:"bytes"`
	Buffered      int           `json:"buffered"`
	Disconnected  int64         `json:"disconnected"` // for being idle
	HeapBytes     uint64        `json:"heapBytes"`    // in use by Go objects
	SystemBytes   uint64        `json:"systemBytes"`  // taken from the system
	Goroutines    int           `json:"goroutines"`
	Uptime        time.Duration `json:"uptime"` // nanoseconds
	Busiest       []Activity    `json:"busiest"`
}

// busiest is how many sockets a report names.
const busiest = 10

// A Tracker follows the sockets of a namespace, some 150 bytes each. It is safe for
// concurrent use.
type Tracker struct {
	o       Options
	n       *socketio.Namespace
	started time.Time
	sockets sync.Map // *socketio.Socket -> *record

	gone struct{ messages, bytes, disconnected atomic.Int64 } // of those that left

	mu     sync.Mutex
	timer  *time.Timer
	closed bool
}

// A record is one socket's. Times are since Tracker.started.
type record struct {
	connected             time.Duration
	last, messages, bytes atomic.Int64
}

// New follows the sockets that connect to n from now on. It panics with the
// field's name on bad options; nil stands for the defaults.
func New(n *socketio.Namespace, o *Options) *Tracker {
	t := &Tracker{n: n, started: time.Now()}
	if o != nil {
		t.o = *o
	}
	if t.o.Interval < 0 {
		panic(fmt.Sprintf("idle: Options.Interval: %v is negative", t.o.Interval))
	}
	t.o.Interval = cmp.Or(t.o.Interval, 5*time.Minute)
	t.o.MaxIdle = cmp.Or(t.o.MaxIdle, time.Hour)
	n.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		r := &record{connected: time.Since(t.started)}
		r.last.Store(int64(r.connected))
		t.sockets.Store(s, r)
		return nil
	})
	n.OnDisconnect(func(_ context.Context, s *socketio.Socket, _ socketio.DisconnectReason) {
		if v, ok := t.sockets.LoadAndDelete(s); ok {
			t.gone.messages.Add(v.(*record).messages.Load())
			t.gone.bytes.Add(v.(*record).bytes.Load())
		}
	})
	n.OnAny(func(_ context.Context, s *socketio.Socket, m *socketio.Message) error {
		v, ok := t.sockets.Load(s)
		if !ok {
			return nil
		}
		r := v.(*record)
		r.messages.Add(1)
		r.bytes.Add(int64(m.Size()))
		r.last.Store(int64(time.Since(t.started)))
		return nil
	})
	if t.o.MaxIdle > 0 {
		t.timer = time.AfterFunc(t.o.Interval, t.tick)
	}
	return t
}

// Touch counts as activity of s, for programs to which something else is one.
func (t *Tracker) Touch(s *socketio.Socket) {
	if v, ok := t.sockets.Load(s); ok {
		v.(*record).last.Store(int64(time.Since(t.started)))
	}
}

// Of returns what is known of s.
func (t *Tracker) Of(s *socketio.Socket) (Activity, bool) {
	v, ok := t.sockets.Load(s)
	if !ok {
		return Activity{}, false
	}
	return t.activity(s, v.(*record)), true
}

func (t *Tracker) activity(s *socketio.Socket, r *record) Activity {
	buffered, _ := s.Buffered()
	return Activity{
		ID:          s.ID(),
		ConnectTime: t.started.Add(r.connected), LastActivity: t.started.Add(time.Duration(r.last.Load())),
		Messages: r.messages.Load(), Bytes: r.bytes.Load(), Buffered: buffered,
	}
}

func (t *Tracker) tick() {
	t.Sweep()
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.timer.Reset(t.o.Interval)
	}
}

// Sweep disconnects the sockets that are idle now, and returns how many. It costs
// a walk over all.
func (t *Tracker) Sweep() (n int) {
	if t.o.MaxIdle < 0 {
		return 0
	}
	now := time.Since(t.started)
	t.sockets.Range(func(key, value any) bool {
		s, r := key.(*socketio.Socket), value.(*record)
		if now-time.Duration(r.last.Load()) < t.o.MaxIdle || t.o.Keep != nil && t.o.Keep(s) {
			return true
		}
		if t.o.OnIdle != nil {
			t.o.OnIdle(s, t.activity(s, r))
		}
		s.Disconnect(true)
		n++
		return true
	})
	t.gone.disconnected.Add(int64(n))
	return n
}

// Report returns what is known now. It walks over all sockets and asks the runtime
// for its memory, which stops the program for some microseconds.
func (t *Tracker) Report() Report {
	rep := Report{
		Messages: t.gone.messages.Load(), Bytes: t.gone.bytes.Load(), Disconnected: t.gone.disconnected.Load(),
		Goroutines: runtime.NumGoroutine(), Uptime: time.Since(t.started),
	}
	t.sockets.Range(func(key, value any) bool {
		a := t.activity(key.(*socketio.Socket), value.(*record))
		rep.ActiveSockets++
		rep.Messages += a.Messages
		rep.Bytes += a.Bytes
		rep.Buffered += a.Buffered
		rep.Busiest = append(rep.Busiest, a)
		if len(rep.Busiest) > 100*busiest { // so that a report of a million sockets is no million
			rep.Busiest = top(rep.Busiest)
		}
		return true
	})
	rep.Busiest = top(rep.Busiest)
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	rep.HeapBytes, rep.SystemBytes = m.HeapAlloc, m.Sys
	return rep
}

func top(all []Activity) []Activity {
	slices.SortFunc(all, func(a, b Activity) int { return cmp.Or(cmp.Compare(b.Messages, a.Messages), cmp.Compare(a.ID, b.ID)) })
	return all[:min(len(all), busiest)]
}

// ServeHTTP answers with the report as JSON. Who may see it is for the program to
// say.
func (t *Tracker) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(t.Report()) // who asked is gone
}

// Close ends the sweeps. It is idempotent.
func (t *Tracker) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	if t.timer != nil {
		t.timer.Stop()
	}
	return nil
}
