package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/lab"
	"github.com/sockeye-go/socketio/internal/leak"
	"github.com/sockeye-go/socketio/middleware/ratelimit"
)

func TestMain(m *testing.M) { leak.Main(m) }

const refusal = `{"message":"Rate limit exceeded","data":{"code":"rate_limited","message":"Rate limit exceeded","retryAfter":%d}}`

// try connects from an address and returns the refusal.
func try(t *testing.T, l *lab.Lab, header ...string) string {
	t.Helper()
	c, err := l.Open(header...)
	if err != nil {
		return err.Error()
	}
	defer c.Cut()
	return c.Connect("/", "")
}

func TestConnectionsByDefault(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		limit := ratelimit.NewConnections(nil)
		limit.Protect(l)
		for i := range 100 {
			if got := try(t, l); got != "" {
				t.Fatalf("connection %d: %s", i+1, got)
			}
		}
		want := fmt.Sprintf(refusal, 60_600) // the window, and 1/100 of the next
		if got := try(t, l); got != want {
			t.Errorf("connection 101: %s; want %s", got, want)
		}
		if got := try(t, l, lab.AddressHeader, "198.51.100.7:1"); got != "" {
			t.Errorf("another address: %s", got)
		}
		lab.Wait(60_599 * time.Millisecond)
		if got := try(t, l); got == "" {
			t.Error("let in a millisecond too early")
		}
		lab.Wait(time.Millisecond)
		if got := try(t, l); got != "" {
			t.Errorf("after the time that was named: %s", got)
		}
		if s := limit.Stats(); s != (ratelimit.Stats{Allowed: 102, Refused: 2}) {
			t.Errorf("stats %+v", s)
		}
	})
}

// Only those count whom the password keeps out.
func TestSkipSuccessfulConnections(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		ratelimit.NewConnections(&ratelimit.ConnectionOptions{
			Rate: ratelimit.Rate{Events: 3, Per: time.Minute, Kind: ratelimit.TokenBucket}, SkipSuccessful: true,
		}).Protect(l)
		l.Use(func(_ context.Context, s *socketio.Socket) error {
			if string(s.Auth()) == `{"ok":true}` {
				return nil
			}
			return &socketio.ConnectError{Message: "no"}
		})
		for range 10 {
			l.Join("/", `{"ok":true}`).Cut()
		}
		for range 3 {
			if got := try(t, l); got != `{"message":"no"}` {
				t.Fatalf("refusal %s", got)
			}
		}
		if got, want := try(t, l), fmt.Sprintf(refusal, 20_000); got != want {
			t.Errorf("refusal %s; want %s", got, want)
		}
	})
}

func TestAllowRequest(t *testing.T) {
	var refused []string
	limit := ratelimit.NewConnections(&ratelimit.ConnectionOptions{
		Rate:      ratelimit.Rate{Events: 1, Per: time.Minute},
		Proxies:   []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
		OnLimited: func(address string, after time.Duration) { refused = append(refused, address) },
	})
	lab.Run(t, &socketio.Options{AllowRequest: limit.AllowRequest}, func(t *testing.T, l *lab.Lab) {
		for _, test := range []struct{ forwarded, want string }{
			{"198.51.100.1", ""},
			{"6.6.6.6, 198.51.100.1", "429"},
			{"2001:db8:0:1::1", ""},
			{"2001:db8:0:1:ffff::2", "429"},
			{"2001:db8:0:2::1", ""},
		} {
			if got := try(t, l, "X-Forwarded-For", test.forwarded); !strings.Contains(got, test.want) || test.want == "" && got != "" {
				t.Errorf("%s: %q; want %q", test.forwarded, got, test.want)
			}
		}
	})
	if got := fmt.Sprint(refused); got != "[198.51.100.1 2001:db8:0:1::/64]" {
		t.Errorf("refused %s", got)
	}
}

func TestClientAddr(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for _, test := range []struct {
		remote    string
		forwarded []string
		want      string
	}{
		{"198.51.100.1:80", nil, "198.51.100.1"},
		{"198.51.100.1:80", []string{"6.6.6.6"}, "198.51.100.1"}, // who is no proxy is not believed
		{"10.0.0.1:80", nil, "10.0.0.1"},
		{"10.0.0.1:80", []string{"198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:80", []string{"6.6.6.6, 198.51.100.1"}, "198.51.100.1"},
		{"10.0.0.1:80", []string{"6.6.6.6", "198.51.100.1, 10.2.2.2"}, "198.51.100.1"},
		{"10.0.0.1:80", []string{"10.3.3.3, 10.2.2.2"}, "10.3.3.3"},
		{"10.0.0.1:80", []string{"6.6.6.6, unknown, 10.2.2.2"}, "10.2.2.2"},
		{"10.0.0.1:80", []string{""}, "10.0.0.1"},
		{"10.0.0.1:80", []string{"198.51.100.1:4711"}, "198.51.100.1"},
		{"[::1]:80", []string{"[2001:db8::1]:4711"}, "2001:db8::1"},
		{"[::ffff:10.0.0.1]:80", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"[fe80::1%eth0]:80", nil, "fe80::1"},
		{"pipe", []string{"198.51.100.1"}, "invalid IP"},
	} {
		r := &http.Request{RemoteAddr: test.remote, Header: http.Header{"X-Forwarded-For": test.forwarded}}
		if got := ratelimit.ClientAddr(r, proxies).String(); got != test.want {
			t.Errorf("ClientAddr(%s, %q) = %s; want %s", test.remote, test.forwarded, got, test.want)
		}
	}
}

// FuzzClientAddr: whatever a client writes, the proxy's own entry counts.
func FuzzClientAddr(f *testing.F) {
	f.Add("6.6.6.6")
	f.Add(",,[")
	f.Fuzz(func(t *testing.T, written string) {
		r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{"X-Forwarded-For": {written + ", 198.51.100.1"}}}
		if got := ratelimit.ClientAddr(r, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}); got.String() != "198.51.100.1" {
			t.Errorf("%q: %v", written, got)
		}
	})
}

var (
	ping = socketio.NewEventWithAck[socketio.None, string]("ping")
	note = socketio.NewEvent[bool]("note")
)

func handlers(l *lab.Lab) {
	ping.Handle(l, func(context.Context, *socketio.Socket, socketio.None) (string, error) { return "pong", nil })
	note.Handle(l, func(_ context.Context, _ *socketio.Socket, ok bool) error {
		if !ok {
			return errors.New("bad note")
		}
		return nil
	})
	l.OnError(func(context.Context, *socketio.Socket, error) {})
}

func TestEvents(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		limit := ratelimit.NewEvents(&ratelimit.EventOptions{
			PerSocket: ratelimit.Rate{Events: 5, Per: 10 * time.Second, Kind: ratelimit.TokenBucket},
			PerEvent:  map[string]ratelimit.Rate{"note": {Events: 2, Per: time.Minute}},
		})
		limit.Protect(l)
		handlers(l)
		c, other := l.Join("/", ""), l.Join("/", "")
		for range 4 {
			c.Emit("note", true)
		}
		// One "error" for both that were refused, and what is left of the socket's.
		c.Want(`["error",{"code":"rate_limited","message":"Rate limit exceeded","event":"note","retryAfter":90000}]`)
		for range 3 {
			if got := c.Ask("ping"); got != `["pong"]` {
				t.Fatalf("ping: %s", got)
			}
		}
		want := `[{"error":{"code":"rate_limited","message":"Rate limit exceeded","data":{"code":"rate_limited","message":"Rate limit exceeded","event":"ping","retryAfter":2000}}}]`
		if got := c.Ask("ping"); got != want {
			t.Errorf("ping: %s\nwant %s", got, want)
		}
		if got := other.Ask("ping"); got != `["pong"]` {
			t.Errorf("a bystander: %s", got)
		}
		lab.Wait(2 * time.Second)
		if got := c.Ask("ping"); got != `["pong"]` {
			t.Errorf("after the time that was named: %s", got)
		}
		c.Want()
		if s := limit.Stats(); s != (ratelimit.Stats{Allowed: 7, Refused: 3}) {
			t.Errorf("stats %+v", s)
		}
		if log := l.Log(); strings.Contains(log, "WARN") {
			t.Errorf("a flood fills the log: %s", log)
		}
	})
}

func TestSkipSuccessfulEvents(t *testing.T) {
	for _, shared := range []bool{false, true} {
		lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
			o := &ratelimit.EventOptions{
				PerEvent:       map[string]ratelimit.Rate{"note": {Events: 2, Per: time.Minute}},
				PerSocket:      ratelimit.Rate{Events: 10, Per: time.Minute},
				SkipSuccessful: true,
			}
			if shared {
				o.User = func(*socketio.Socket) string { return "everybody" }
			}
			ratelimit.NewEvents(o).Protect(l)
			handlers(l)
			c := l.Join("/", "")
			for range 20 {
				c.Emit("note", true)
			}
			c.Want()
			for range 3 {
				c.Emit("note", false)
			}
			if got := c.Take(); len(got) != 1 || !strings.HasPrefix(got[0], `["error"`) {
				t.Errorf("after three failures: %q; want one refusal", got)
			}
		})
	}
}

func TestCut(t *testing.T) {
	for name, o := range map[string]ratelimit.EventOptions{
		"at once": {Answer: ratelimit.AnswerCut},
		"after":   {CutAfter: 3},
		"silent":  {CutAfter: 3, Answer: ratelimit.AnswerNothing},
	} {
		lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
			o.PerSocket = ratelimit.Rate{Events: 1, Per: time.Minute}
			ratelimit.NewEvents(&o).Protect(l)
			handlers(l)
			c := l.Join("/", "")
			for range 4 {
				c.Emit("note", true)
			}
			got := strings.Join(c.Take(), " ")
			if !strings.HasSuffix(got, "disconnect end") || strings.Contains(got, "error") == (name == "silent") {
				t.Errorf("%s: client got %s", name, got)
			}
		})
	}
}

// The sockets of a user share a budget, and a store that is away stops nobody
// unless it shall.
func TestUsers(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		store := &brokenStore{Memory: ratelimit.NewMemory(0)}
		ratelimit.NewEvents(&ratelimit.EventOptions{
			PerSocket: ratelimit.Rate{Events: 2, Per: time.Minute}, Store: store,
			User: func(s *socketio.Socket) string { return string(s.Auth()) },
		}).Protect(l)
		handlers(l)
		phone, laptop, other := l.Join("/", `{"user":"ada"}`), l.Join("/", `{"user":"ada"}`), l.Join("/", `{"user":"bob"}`)
		if a, b := phone.Ask("ping"), laptop.Ask("ping"); a != b {
			t.Errorf("ping: %s and %s", a, b)
		}
		if got := phone.Ask("ping"); !strings.Contains(got, "rate_limited") {
			t.Errorf("the third of a user: %s", got)
		}
		if got := other.Ask("ping"); got != `["pong"]` {
			t.Errorf("another user: %s", got)
		}
		store.broken = true
		if got := phone.Ask("ping"); got != `["pong"]` {
			t.Errorf("without a store: %s", got)
		}
	})
}

type brokenStore struct {
	*ratelimit.Memory
	broken bool
}

func (s *brokenStore) Take(ctx context.Context, key string, r ratelimit.Rate) (ratelimit.Result, error) {
	if s.broken {
		return ratelimit.Result{}, errors.New("store is away")
	}
	return s.Memory.Take(ctx, key, r)
}

// TestRates drives a budget at full speed and checks the promise of each kind:
// never more than Events in any Per (twice that for a bucket that had rested),
// and RetryAfter is exact.
func TestRates(t *testing.T) {
	for _, kind := range []ratelimit.Kind{ratelimit.Window, ratelimit.TokenBucket} {
		r := ratelimit.Rate{Events: 7, Per: time.Second, Kind: kind}
		var b ratelimit.Budget
		now := time.Unix(1000, 0)
		var taken []time.Time
		for range 2000 {
			res := b.Take(r, now)
			if res.OK {
				taken = append(taken, now)
				now = now.Add(13 * time.Millisecond)
				continue
			}
			if early := b; early.Take(r, now.Add(res.RetryAfter-time.Microsecond)).OK {
				t.Fatalf("kind %d: there was room before RetryAfter", kind)
			}
			now = now.Add(res.RetryAfter + time.Microsecond)
			if again := b; !again.Take(r, now).OK {
				t.Fatalf("kind %d: no room after RetryAfter %v", kind, res.RetryAfter)
			}
		}
		most := r.Events
		if kind == ratelimit.TokenBucket {
			most *= 2
		}
		for i := range taken {
			n := 0
			for _, at := range taken[i:] {
				if at.Sub(taken[i]) < r.Per {
					n++
				}
			}
			if n > most {
				t.Fatalf("kind %d: %d events within %v", kind, n, r.Per)
			}
		}
		if over := taken[len(taken)-1].Sub(taken[0]).Seconds(); float64(len(taken)) < 6*over {
			t.Errorf("kind %d: %d events in %.0f s; the rate is 7 a second", kind, len(taken), over)
		}
	}
}

// TestClockSetBack: nobody is shut out for the hour by which a clock was wrong.
func TestClockSetBack(t *testing.T) {
	for _, kind := range []ratelimit.Kind{ratelimit.Window, ratelimit.TokenBucket} {
		r := ratelimit.Rate{Events: 3, Per: time.Second, Kind: kind}
		var b ratelimit.Budget
		now := time.Unix(100_000, 0)
		for _, jump := range []time.Duration{0, -time.Hour, -2 * time.Second, time.Hour, -24 * time.Hour} {
			now = now.Add(jump)
			for range r.Events {
				if res := b.Take(r, now); !res.OK {
					t.Errorf("kind %d, after a jump by %v: refused for %v", kind, jump, res.RetryAfter)
				}
			}
			if b.Take(r, now).OK {
				t.Errorf("kind %d, after a jump by %v: more than %d at once", kind, jump, r.Events)
			}
		}
	}
}

// A million addresses leave no more behind than the store may hold, and what has
// rested goes by itself.
func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := ratelimit.NewMemory(1600)
		r := ratelimit.Rate{Events: 1, Per: time.Second}
		for i := range 1_000_000 {
			m.Take(t.Context(), fmt.Sprint(i), r)
		}
		if n := m.Len(); n > 1600 {
			t.Errorf("%d keys; want at most 1600", n)
		}
		time.Sleep(time.Minute)
		for i := range 1000 {
			m.Take(t.Context(), fmt.Sprint("new", i), r)
		}
		if n := m.Len(); n > 1200 {
			t.Errorf("%d keys of which 1000 are of use", n)
		}
	})
}

func TestBadOptions(t *testing.T) {
	for field, f := range map[string]func(){
		"ConnectionOptions.Rate":     func() { ratelimit.NewConnections(&ratelimit.ConnectionOptions{Rate: ratelimit.Rate{Events: 5}}) },
		"ConnectionOptions.IPv6Bits": func() { ratelimit.NewConnections(&ratelimit.ConnectionOptions{IPv6Bits: 129}) },
		"EventOptions.PerSocket":     func() { ratelimit.NewEvents(&ratelimit.EventOptions{PerSocket: ratelimit.Rate{Per: 1}}) },
		`EventOptions.PerEvent["x"]`: func() {
			ratelimit.NewEvents(&ratelimit.EventOptions{PerEvent: map[string]ratelimit.Rate{"x": {Events: -1, Per: 1}}})
		},
		"EventOptions.CutAfter": func() { ratelimit.NewEvents(&ratelimit.EventOptions{CutAfter: -1}) },
		"EventOptions.Answer":   func() { ratelimit.NewEvents(&ratelimit.EventOptions{Answer: 9}) },
		"NewMemory":             func() { ratelimit.NewMemory(-1) },
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "ratelimit: "+field+":") {
					t.Errorf("panic %q; want one that names %s", text, field)
				}
			}()
			f()
		}()
	}
}

func BenchmarkMemory(b *testing.B) {
	m := ratelimit.NewMemory(0)
	r := ratelimit.Rate{Events: 100, Per: time.Minute}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		m.Take(ctx, "198.51.100.1", r)
	}
}
