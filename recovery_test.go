package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/adapter"
)

// A comeback is a client as the official one is: it remembers its pid and the
// last argument of the last event.
type comeback struct {
	t           *testing.T
	h           *harness
	nsp         string
	c           *client
	id          string
	pid, offset string
	recovered   bool
	events      []string // without offsets
}

func (h *harness) comeback() *comeback {
	b := &comeback{t: h.t, h: h, nsp: "/"}
	b.connect()
	return b
}

// connect makes a connection and reads what there is.
func (b *comeback) connect() {
	b.t.Helper()
	b.c = b.h.open()
	auth := ""
	if b.pid != "" {
		m := map[string]string{"pid": b.pid}
		if b.offset != "" {
			m["offset"] = b.offset
		}
		j, _ := json.Marshal(m)
		auth = string(j)
	}
	b.c.send("40" + auth)
	reply := b.c.next()
	var ok struct{ SID, PID string }
	if !strings.HasPrefix(reply, "40{") || json.Unmarshal([]byte(reply[2:]), &ok) != nil || len(ok.PID) != 20 {
		b.t.Fatalf("answer to CONNECT = %q; want one with a pid", reply)
	}
	b.recovered = b.pid == ok.PID
	b.id, b.pid = ok.SID, ok.PID
	b.read()
}

// read takes what has come.
func (b *comeback) read() {
	b.t.Helper()
	for _, m := range b.c.take() {
		b.event(m)
	}
}

func (b *comeback) event(m string) {
	b.t.Helper()
	var args []any
	digits := regexp.MustCompile(`^42\d*`).FindString(m)
	if digits == "" || json.Unmarshal([]byte(m[len(digits):]), &args) != nil {
		b.events = append(b.events, m)
		return
	}
	if last, ok := args[len(args)-1].(string); ok && digits == "42" {
		b.offset = last
		if (len(last) == 12 || regexp.MustCompile(`^\d+-\d+$`).MatchString(last)) && len(args) > 1 {
			args = args[:len(args)-1]
		}
	}
	b.events = append(b.events, strings.TrimSuffix(fmt.Sprintln(args...), "\n"))
}

// cut breaks the connection; the server notices at once.
func (b *comeback) cut() {
	b.read()
	b.c.leave()
	synctest.Wait()
}

func (b *comeback) want(recovered bool, events ...string) {
	b.t.Helper()
	b.read()
	if b.recovered != recovered || !slices.Equal(b.events, events) {
		b.t.Errorf("recovered %v with %q; want %v with %q", b.recovered, b.events, recovered, events)
	}
	b.events = nil
}

func recovering() *socketio.Options { return &socketio.Options{Recovery: &socketio.Recovery{}} }

func TestRecovery(t *testing.T) {
	name := socketio.NewKey[string]("name")
	local := socketio.NewLocalKey[int]()
	bubble(t, recovering(), func(t *testing.T, h *harness) {
		var d diary
		h.Use(func(_ context.Context, s *socketio.Socket) error { d.add("middleware"); return nil })
		h.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			v, _ := name.Get(s)
			n, _ := local.Get(s)
			d.add("connection %v %q %s %d", s.Recovered(), s.Rooms(), v, n)
			if !s.Recovered() {
				s.Join("x")
				name.Set(s, "ann")
				local.Set(s, 7)
			}
			return nil
		})
		h.OnDisconnect(func(_ context.Context, s *socketio.Socket, r socketio.DisconnectReason) {
			d.add("disconnect %s", string(r))
		})
		b := h.comeback()
		id := b.id
		d.want(t, "middleware", "connection false []  0")
		b.cut()
		h.Emit("all", 1)
		h.To("x").Emit("x", 2, []byte{1})
		h.To("y").Emit("y", 3)
		h.To(id).Emit("me", 4)
		h.Except("x").Emit("not x", 5)
		h.Volatile().Emit("volatile", 6)
		s, there := h.Socket(id)
		if there || s != nil {
			t.Error("the socket of a client that is away is found")
		}
		b.connect()
		// A binary event is two messages, of which the first is no EVENT.
		if len(b.events) != 4 || !strings.HasPrefix(b.events[1], `451-["x",2,{`) || b.events[2] != "b01" {
			t.Errorf("events = %q", b.events)
		}
		b.events = slices.Delete(b.events, 1, 3)
		b.want(true, "all 1", "me 4")
		if b.id != id {
			t.Errorf("id %s; want %s", b.id, id)
		}
		d.want(t, "disconnect transport close", `connection true ["x"] ann 7`)
		h.To("x").Emit("again")
		b.want(true, "again")
		if st := h.RecoveryStats(); st.Recovered != 1 || st.Refused != 0 || st.Sessions != 0 || st.Packets == 0 {
			t.Errorf("stats = %+v", st)
		}
	})
}

// TestRecoveryAgain cuts before any event, again and again, before the server
// notices, and in the middle of a replay.
func TestRecoveryAgain(t *testing.T) {
	bubble(t, recovering(), func(t *testing.T, h *harness) {
		var d diary
		h.OnDisconnect(func(_ context.Context, s *socketio.Socket, r socketio.DisconnectReason) {
			d.add("disconnect %s", string(r))
		})
		b := h.comeback()
		b.cut()
		b.connect()
		b.want(true)
		b.cut()
		h.Emit("e", 1)
		b.connect()
		b.want(true, "e 1")
		for i := range 5 {
			b.cut()
			h.Emit("e", i)
			b.connect()
			b.want(true, fmt.Sprint("e ", i))
		}
		d.want(t, slices.Repeat([]string{"disconnect transport close"}, 7)...)

		// The server still takes the old connection for good.
		old := b.c
		h.Emit("into the void", 1)
		b.connect()
		b.want(true, "into the void 1")
		d.want(t, "disconnect transport close")
		old.leave()
		synctest.Wait()
		h.Emit("e", 8)
		b.want(true, "e 8")
		if s, ok := h.Socket(b.id); !ok || !s.Connected() {
			t.Error("the late end of the old connection took the new socket")
		}

		// What came of a replay before the next cut does not come again.
		b.cut()
		for i := range 3 {
			h.Emit("r", i)
		}
		b.c = h.open()
		b.c.send(fmt.Sprintf(`40{"pid":%q,"offset":%q}`, b.pid, b.offset))
		got := b.c.take()
		if len(got) != 4 {
			t.Fatalf("replay = %q", got)
		}
		b.event(got[1]) // the rest did not arrive
		b.c.leave()
		synctest.Wait()
		b.connect()
		b.want(true, "r 0", "r 1", "r 2")
	})
}

func TestRecoveryRefused(t *testing.T) {
	var reasons []string
	o := recovering()
	o.MaxQueuedPackets = 16
	o.Recovery.MaxSessions = 2
	o.Recovery.MaxPackets = 100
	o.Recovery.OnAttempt = func(a socketio.RecoveryAttempt) { reasons = append(reasons, a.Reason) }
	bubble(t, o, func(t *testing.T, h *harness) {
		check := func(reason string) {
			t.Helper()
			synctest.Wait()
			if len(reasons) != 1 || !strings.Contains(reasons[0], reason) || !strings.Contains(h.log.String(), reasons[0]) {
				t.Errorf("reasons = %q; want %q, in the log too", reasons, reason)
			}
			reasons = nil
		}
		b := h.comeback()
		b.pid = "guess"
		b.cut()
		b.connect()
		b.want(false)
		check("no such session")

		b.cut()
		wait(2*time.Minute + time.Second)
		b.connect()
		b.want(false)
		check("no such session")

		h.Emit("e")
		b.want(false, "e")
		b.cut()
		for range 20 {
			h.Emit("e")
		}
		b.connect()
		b.want(false)
		check("too much was missed")

		for range 101 { // more than the log holds
			h.Emit("e")
			b.read()
			b.events = nil
		}
		b.cut()
		b.offset = b.offset[:4] + strings.Repeat("_", 8)
		b.connect()
		b.want(false)
		check("was not sent")

		b.cut()
		s, _ := h.Socket(b.id)
		if s != nil {
			t.Error("found")
		}
		h.DisconnectSockets(false)
		b.connect()
		b.want(false)
		check("no such session")

		sock, _ := h.Socket(b.id)
		b.cut()
		sock.Disconnect(false)
		b.connect()
		b.want(false)
		check("no such session")

		others := []*comeback{h.comeback(), h.comeback()}
		b.cut()
		for _, o := range others {
			o.cut()
		}
		if st := h.RecoveryStats(); st.Sessions != 2 {
			t.Errorf("%d sessions are kept; want 2", st.Sessions)
		}
		b.connect()
		b.want(false)
		check("no such session")
		others[0].connect()
		others[0].want(true)
		check("")

		b.c.packet("1") // says that it leaves
		synctest.Wait()
		b.c.leave()
		b.connect()
		b.want(false)
		check("no such session")
	})
}

// TestRecoveryIdle: a client to which nothing was sent for long needs no long
// log, even if the first thing that was goes into the void.
func TestRecoveryIdle(t *testing.T) {
	o := recovering()
	o.Recovery.MaxPackets = 50
	bubble(t, o, func(t *testing.T, h *harness) {
		b, busy := h.comeback(), h.comeback()
		h.Emit("first")
		b.want(false, "first")
		others := func(n int) {
			for range n {
				h.To(busy.id).Emit("busy")
			}
			busy.read()
		}
		others(200)
		b.cut()
		others(20)
		h.To(b.id).Emit("missed", 1)
		b.connect()
		b.want(true, "missed 1")
		others(200)
		h.To(b.id).Emit("void", 2)
		others(20)
		b.c.got = nil
		b.c.leave()
		synctest.Wait()
		b.c.got = nil
		b.connect()
		b.want(true, "void 2")
		h.To(b.id).Emit("void", 3)
		b.c.take()
		others(60)
		b.connect()
		b.want(false) // that is gone
	})
}

// TestRecoveryRooms: what counts is who was in the room when it was emitted.
func TestRecoveryRooms(t *testing.T) {
	bubble(t, recovering(), func(t *testing.T, h *harness) {
		b := h.comeback()
		s, _ := h.Socket(b.id)
		h.To("x").Emit("too early")
		s.Join("x")
		h.To("x").Emit("in time")
		s.Leave("x")
		h.To("x").Emit("too late")
		s.Join("z")
		b.c.take() // none of it arrives
		b.c.leave()
		synctest.Wait()
		h.In(b.id).SocketsJoin("y")
		h.To("y").Emit("y")
		h.In("y").SocketsLeave("z")
		h.To("z").Emit("z")
		h.To("y").Except("y").Emit("no")
		h.To("y").Except("z").Emit("yes")
		b.connect()
		b.want(true, "in time", "y", "yes")
		s, _ = h.Socket(b.id)
		if rooms := s.Rooms(); !slices.Equal(rooms, []string{"y"}) {
			t.Errorf("rooms = %q; want y", rooms)
		}
	})
}

// TestRecoveryOldSocket: handlers of the socket that was cut end first, and what
// they emit arrives.
func TestRecoveryOldSocket(t *testing.T) {
	bubble(t, recovering(), func(t *testing.T, h *harness) {
		var d diary
		goOn := make(chan struct{})
		slow := socketio.NewEvent[socketio.None]("slow")
		slow.Handle(h, func(_ context.Context, s *socketio.Socket, _ socketio.None) error {
			<-goOn
			d.add("emit: %v", s.Emit("result", 1))
			return nil
		})
		h.OnDisconnect(func(context.Context, *socketio.Socket, socketio.DisconnectReason) { d.add("disconnect") })
		h.OnConnection(func(_ context.Context, s *socketio.Socket) error { d.add("connection %v", s.Recovered()); return nil })
		b := h.comeback()
		b.c.packet(`2["slow"]`)
		synctest.Wait()
		old, _ := h.Socket(b.id)
		b.c.leave()
		synctest.Wait()
		c := h.open()
		c.send(fmt.Sprintf(`40{"pid":%q}`, b.pid))
		c.want()
		close(goOn)
		got := c.take()
		if len(got) != 2 || !strings.HasPrefix(got[1], `42["result",1,"`) {
			t.Errorf("got %q", got)
		}
		d.want(t, "connection false", "emit: <nil>", "disconnect", "connection true")
		if err := old.Emit("by the old socket"); err != nil {
			t.Error(err)
		}
		if got := c.take(); len(got) != 1 || !strings.HasPrefix(got[0], `42["by the old socket","`) {
			t.Errorf("got %q", got)
		}
		c.packet("1")
		synctest.Wait()
		if err := old.Emit("gone"); err != socketio.ErrDisconnected {
			t.Errorf("Emit to a session that ended = %v", err)
		}
		// A handler that does not end keeps nobody out.
		b = h.comeback()
		goOn = make(chan struct{})
		b.c.packet(`2["slow"]`)
		synctest.Wait()
		b.cut()
		c = h.open()
		c.send(fmt.Sprintf(`40{"pid":%q}`, b.pid))
		wait(6 * time.Second)
		if got := c.take(); len(got) != 1 || strings.Contains(got[0], b.pid) {
			t.Errorf("CONNECT = %q; want a new session", got)
		}
		close(goOn)
	})
}

// TestRecoveryCrossed: a client that gives up a connection on which its claim waits, and
// makes another, is asked to come again, and has its session in the end.
func TestRecoveryCrossed(t *testing.T) {
	bubble(t, recovering(), func(t *testing.T, h *harness) {
		goOn := make(chan struct{})
		slow := socketio.NewEvent[socketio.None]("slow")
		slow.Handle(h, func(context.Context, *socketio.Socket, socketio.None) error { <-goOn; return nil })
		b := h.comeback()
		b.c.packet(`2["slow"]`)
		synctest.Wait()
		b.cut()
		ask := fmt.Sprintf(`40{"pid":%q}`, b.pid)
		first, second := h.open(), h.open()
		first.send(ask) // waits for the handler
		synctest.Wait()
		second.send(ask)
		second.want("end")
		first.want()
		close(goOn)
		if got := first.take(); len(got) != 1 || !strings.Contains(got[0], b.pid) {
			t.Errorf("CONNECT = %q", got)
		}
		b.connect() // the server does not know that the first was given up
		b.want(true)
	})
}

// A racing adapter says once more that a session is busy, as it is when the client has
// been let in on another connection since the first was cut.
type racing struct {
	adapter.Recoverer
	last *adapter.BusyError
}

func (a *racing) Claim(ctx context.Context, pid, offset string, lim adapter.ReplayLimits) (*adapter.Claim, error) {
	if last := a.last; last != nil {
		a.last = nil
		return nil, last
	}
	c, err := a.Recoverer.Claim(ctx, pid, offset, lim)
	a.last, _ = errors.AsType[*adapter.BusyError](err)
	return c, err
}

// TestRecoveryRaced: whoever is overtaken while an old connection is cut cuts that of
// the other, too.
func TestRecoveryRaced(t *testing.T) {
	o := recovering()
	o.Adapter = func(h adapter.Host) (adapter.Adapter, error) {
		return &racing{Recoverer: adapter.NewRecovering(*h.Recovery())}, nil
	}
	bubble(t, o, func(t *testing.T, h *harness) {
		b := h.comeback()
		b.connect()
		b.want(true)
	})
}

func TestRecoveryMiddleware(t *testing.T) {
	o := recovering()
	o.Recovery.RunMiddleware = true
	bubble(t, o, func(t *testing.T, h *harness) {
		var refuse error
		h.Use(func(context.Context, *socketio.Socket) error { return refuse })
		b := h.comeback()
		b.cut()
		h.Emit("e")
		b.connect()
		b.want(true, "e")
		b.cut()
		refuse = &socketio.ConnectError{Message: "no"}
		b.c = h.open()
		b.c.send(fmt.Sprintf(`40{"pid":%q,"offset":%q}`, b.pid, b.offset))
		b.c.want(`44{"message":"no"}`)
		refuse = nil
		b.connect()
		b.want(false)
	})
}

// TestRecoveryOffset is what goes over the wire: a string behind the arguments
// of what is kept, and of what a client could mistake for it.
func TestRecoveryOffset(t *testing.T) {
	bubble(t, recovering(), func(t *testing.T, h *harness) {
		b := h.comeback()
		s, _ := h.Socket(b.id)
		check := func(what string, f func() error, want string) {
			t.Helper()
			if err := f(); err != nil {
				t.Fatal(err)
			}
			if got := b.c.next(); !regexp.MustCompile("^" + want + "$").MatchString(got) {
				t.Errorf("%s: %q; want %s", what, got, want)
			}
		}
		const offset = `"[\w-]{12}"`
		check("emit", func() error { return s.Emit("e", 1) }, `42\["e",1,`+offset+`\]`)
		check("broadcast", func() error { return h.Emit("e") }, `42\["e",`+offset+`\]`)
		check("volatile", func() error { return s.Volatile().Emit("e", 1) }, `42\["e",1\]`)
		check("volatile with a text", func() error { return h.Volatile().Emit("e", "text") }, `42\["e","text",`+offset+`\]`)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		check("with an ack", func() error { s.EmitWithAck(ctx, "e", "x"); return nil }, `420\["e","x"\]`)
		socketio.NewEvent[socketio.None]("ask").On(s, func(context.Context, socketio.None) error { return nil })
	})
}

func TestRecoveryOptions(t *testing.T) {
	for name, o := range map[string]*socketio.Options{
		"MaxDuration": {Recovery: &socketio.Recovery{MaxDuration: -1}},
		"MaxBytes":    {Recovery: &socketio.Recovery{MaxBytes: -1}},
		"recover":     {Recovery: &socketio.Recovery{}, Adapter: newLoop},
	} {
		func() {
			defer func() {
				if v := recover(); !strings.Contains(fmt.Sprint(v), name) {
					t.Errorf("panic %v; want one that names %s", v, name)
				}
			}()
			socketio.NewServer(o)
		}()
	}
}

// TestRecoveryRetainsNothing: a client that comes back again and again leaves
// nothing of the sockets that it had, nor of what it missed.
func TestRecoveryRetainsNothing(t *testing.T) {
	bubble(t, recovering(), func(t *testing.T, h *harness) {
		var sockets []weak.Pointer[socketio.Socket]
		h.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			sockets = append(sockets, weak.Make(s))
			return nil
		})
		b := h.comeback()
		for i := range 10 {
			b.cut()
			h.Emit("e", i)
			b.connect()
			b.want(true, fmt.Sprint("e ", i))
			wait(10 * time.Second) // until nothing of the end is left to do
		}
		for range 5 {
			runtime.GC()
		}
		held := 0
		for _, s := range sockets {
			if s.Value() != nil {
				held++
			}
		}
		if len(sockets) != 11 || held > 1 {
			t.Errorf("of %d sockets %d are held; want 1 of 11", len(sockets), held)
		}
	})
}
