package admin

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
)

// many makes a server with n sockets, of which only the network is not real: each
// has shaken hands and joined by requests over polling. All are in "lobby", and
// ten in each other room.
func many(tb testing.TB, n int) *Dashboard {
	log := slog.New(slog.DiscardHandler)
	srv := socketio.NewServer(&socketio.Options{Logger: log, PingInterval: time.Hour, PingTimeout: time.Hour, MaxConnections: n + 1})
	joined := socketio.NewLocalKey[string]()
	d := Handler(srv, &DashboardOptions{Insecure: true, Logger: log, User: func(s *socketio.Socket) string {
		name, _ := joined.Get(s)
		return name
	}})
	var mu sync.Mutex
	i := 0
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		mu.Lock()
		i++
		user, room := fmt.Sprint("user-", i), fmt.Sprint("room-", i/10)
		mu.Unlock()
		joined.Set(s, user)
		return s.Join("lobby", room)
	})
	tb.Cleanup(func() {
		d.Close()
		srv.Close()
	})
	each := func(method, query, body string) string {
		r := httptest.NewRequest(method, "/socket.io/?EIO=4&transport=polling"+query, strings.NewReader(body))
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			tb.Errorf("%s %s: %d %s", method, query, w.Code, w.Body)
		}
		return w.Body.String()
	}
	var all sync.WaitGroup
	workers := 2 * runtime.GOMAXPROCS(0)
	for w := range workers {
		all.Go(func() {
			for k := w; k < n && !tb.Failed(); k += workers {
				open := each("GET", "", "")
				_, rest, _ := strings.Cut(open, `"sid":"`)
				sid, _, _ := strings.Cut(rest, `"`)
				each("POST", "&sid="+sid, "40")
				each("GET", "&sid="+sid, "")
			}
		})
	}
	all.Wait()
	if got := srv.Stats().Sockets; got != n {
		tb.Fatalf("%d sockets; want %d", got, n)
	}
	return d
}

// look has the dashboard think that somebody looks.
func (d *Dashboard) look() (leave func()) {
	_, _, _, leave = d.sampler.look()
	return leave
}

// TestManySockets: what is shown of many is of a bounded size, and is what there
// is.
func TestManySockets(t *testing.T) {
	const n = 3000
	d := many(t, n)
	defer d.look()()
	d.sampler.sample(time.Now())
	d.sampler.mu.Lock()
	size := len(d.sampler.latest)
	d.sampler.mu.Unlock()
	if size == 0 || size > 20_000 {
		t.Errorf("a snapshot has %d bytes", size)
	}
	f := d.find(t.Context(), "user-2999")
	if len(f.Sockets) != 1 || !f.Complete || f.Looked != n {
		t.Errorf("found %+v", f)
	}
	d.sampler.mu.Lock()
	got := d.sampler.spaces[0]
	d.sampler.mu.Unlock()
	if got.Sockets != n || got.Rooms != n/10+2 {
		t.Errorf("namespace = %+v", got)
	}
}

// BenchmarkDashboard takes what is asked for once a second of a server with
// 500,000 sockets. Bound: core-%, the part of one core that it costs, is below 2.
func BenchmarkDashboard(b *testing.B) {
	d := many(b, 500_000)
	part := func(b *testing.B) {
		b.ReportMetric(100*b.Elapsed().Seconds()/float64(b.N)/sampleEvery.Seconds(), "core-%")
	}
	b.Run("nobody-looks", func(b *testing.B) {
		for b.Loop() {
			d.sampler.sample(time.Now())
		}
		part(b)
	})
	b.Run("somebody-looks", func(b *testing.B) {
		defer d.look()()
		// As many samples as in ten minutes, each with the time that it would have:
		// what is paced takes place as often as it would.
		now := time.Now()
		for b.Loop() {
			now = now.Add(sampleEvery)
			d.sampler.sample(now)
		}
		part(b)
	})
	b.Run("walk-of-backlogs", func(b *testing.B) {
		for b.Loop() {
			d.sampler.walkBacklog(time.Now())
		}
	})
	b.Run("walk-of-namespaces", func(b *testing.B) {
		for b.Loop() {
			d.sampler.walkNamespaces()
		}
	})
	for _, q := range []string{"lobby", "user-499999"} {
		b.Run("find-"+q, func(b *testing.B) {
			for b.Loop() {
				d.find(b.Context(), q)
			}
		})
	}
	for _, path := range []string{"rooms", "rooms?q=room-77", "sockets?offset=10000"} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				w := httptest.NewRecorder()
				d.ServeHTTP(w, httptest.NewRequest("GET", "/"+path, nil))
				if w.Code != 200 {
					b.Fatal(w.Body)
				}
			}
		})
	}
}

// BenchmarkCount is what the dashboard adds to each event.
func BenchmarkCount(b *testing.B) {
	srv := socketio.NewServer(nil)
	defer srv.Close()
	c := newCounters(100)
	for i := range 100 {
		c.of("/", fmt.Sprint("event-", i))
	}
	b.Run("same", func(b *testing.B) {
		for b.Loop() {
			c.of("/", "event-1").out.Add(1)
		}
	})
	b.Run("other", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			e := c.of("/", [2]string{"event-1", "event-2"}[i%2])
			e.in.Add(1)
			e.handling.add(time.Duration(i))
			c.handling.add(time.Duration(i))
		}
	})
}
