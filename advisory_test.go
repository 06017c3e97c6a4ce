package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/ws"
)

// The tests in this file are named after what has hurt systems of this kind;
// those that concern sessions and frames are in package engineio.

// ends sends packets on a connection that has joined "/", and expects that they
// end it before any handler sees an event, and that nobody else notices.
func ends(t *testing.T, o *socketio.Options, reason string, send func(*client)) {
	t.Helper()
	bubble(t, o, func(t *testing.T, h *harness) {
		var d diary
		h.OnAny(func(_ context.Context, _ *socketio.Socket, m *socketio.Message) error {
			d.add("event %q", m.Event())
			return nil
		})
		h.OnError(func(_ context.Context, _ *socketio.Socket, err error) { d.add("%v", err) })
		bystander, c := h.join(), h.join()
		send(c)
		d.want(t, reason)
		if got := c.take(); len(got) != 1 || got[0] != "end" {
			t.Errorf("client got %q; want its end", got)
		}
		h.Emit("alive")
		bystander.want(`42["alive"]`)
	})
}

func TestAdvisoryAttachmentCount(t *testing.T) {
	for _, count := range []string{"11", "1832742252", "99999999999", strings.Repeat("9", 1000)} {
		ends(t, nil, "too many attachments", func(c *client) { c.packet("5" + count + `-["x"]`) })
	}
	bubble(t, nil, func(t *testing.T, h *harness) { // ten are fine
		got := make(chan string, 1)
		h.OnAny(func(_ context.Context, _ *socketio.Socket, m *socketio.Message) error {
			got <- m.Event()
			return nil
		})
		c := h.join()
		c.packet(`510-["x",{"_placeholder":true,"num":9}]`)
		for i := range 10 {
			c.binary(byte(i))
		}
		c.take()
		select {
		case event := <-got:
			if event != "x" {
				t.Errorf("event %q", event)
			}
		default:
			t.Error("the event did not arrive")
		}
	})
}

func TestAdvisoryEndlessCount(t *testing.T) {
	for _, rest := range []string{strings.Repeat("1", 500_000), strings.Repeat("x", 500_000)} {
		bubble(t, nil, func(t *testing.T, h *harness) {
			c := h.join()
			c.packet("5" + rest)
			if got := c.take(); len(got) != 1 || got[0] != "end" {
				t.Errorf("client got %q; want its end", got)
			}
		})
	}
}

// An ack id beyond what an integer holds is no id that we gave, and no crash.
func TestAdvisoryEndlessID(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		bystander, c := h.join(), h.join()
		c.packet("3"+strings.Repeat("9", 500_000)+"[]", "2"+strings.Repeat("9", 500_000)+`["x"]`)
		h.Emit("alive")
		bystander.want(`42["alive"]`)
	})
}

func TestAdvisoryPlaceholder(t *testing.T) {
	for _, num := range []string{`"splice"`, `"0"`, "-1", "1", "0.5", "1e400", "null", "{}", "[0]", "true"} {
		ends(t, nil, "illegal attachments", func(c *client) {
			c.packet(`51-["x",{"_placeholder":true,"num":` + num + `}]`)
			c.binary(1)
		})
	}
}

func TestAdvisoryEventName(t *testing.T) {
	for _, name := range []string{`{"toString":"foo"}`, "null", "[]", "true", `"connect"`, `"newListener"`} {
		ends(t, nil, "invalid payload", func(c *client) { c.packet(`2[` + name + `]`) })
	}
	ends(t, nil, "event name is too long", func(c *client) { c.packet(`2["` + strings.Repeat("x", 5000) + `"]`) })
}

func TestAdvisoryEventNamedError(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		c := h.join()
		c.packet(`2["error"]`, `2["error",{"message":"x"}]`, `2["constructor"]`, `2["__proto__"]`)
		h.Emit("alive")
		c.want(`42["alive"]`)
	})
}

func TestAdvisoryDeepJSON(t *testing.T) {
	for _, open := range []string{"[", `{"a":`} {
		for _, depth := range []int{600, 100_000} {
			ends(t, nil, "payload is nested too deeply", func(c *client) { c.packet(`2["x",` + strings.Repeat(open, depth)) })
		}
	}
}

func TestAdvisoryOctetStream(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		query := h.openPolling()
		res, err := h.http.Post("http://memory/socket.io/?EIO=4&transport=polling"+query, "application/octet-stream", strings.NewReader("\x00\x01\xff4"))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.StatusCode != 400 {
			t.Errorf("status %d; want 400", res.StatusCode)
		}
	})
}

func TestAdvisoryOversized(t *testing.T) {
	big := strings.Repeat("x", 1000)
	bubble(t, &socketio.Options{MaxPayload: 1000}, func(t *testing.T, h *harness) {
		bystander, c := h.join(), h.join()
		c.packet(`2["` + big + `"]`)
		if got := c.take(); len(got) != 1 || got[0] != "end" {
			t.Errorf("client got %q; want its end", got)
		}
		query := h.openPolling()
		for _, body := range []io.Reader{strings.NewReader("4" + big), io.MultiReader(strings.NewReader("4" + big))} { // with and without a length
			res, err := h.http.Post("http://memory/socket.io/?EIO=4&transport=polling"+query, "text/plain", body)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("status %d; want 413", res.StatusCode)
			}
		}
		h.Emit("alive")
		bystander.want(`42["alive"]`)
		if got := h.get(query); got != `42["alive"]` {
			t.Errorf("poll = %q; the session should go on", got)
		}
	})
}

// Attachments that are announced and never come hold no more than their limit.
func TestAdvisoryAttachmentBytes(t *testing.T) {
	ends(t, &socketio.Options{MaxAttachmentBytes: 2_000_000}, "attachments are too large", func(c *client) {
		c.packet(`510-["x"]`)
		for range 3 {
			c.binary(make([]byte, 900_000)...)
		}
	})
}

func TestAdvisoryManyNamespaces(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		for i := range 150 {
			h.Of(fmt.Sprint("/", i))
		}
		c := h.open()
		refused := 0
		for i := range 150 {
			c.packet(fmt.Sprintf("0/%d,", i))
			if strings.Contains(c.next(), "too many namespaces") {
				refused++
			}
		}
		if refused != 50 {
			t.Errorf("%d of 150 were refused; want 50", refused)
		}
	})
}

// A client that joins and leaves faster than the handlers of its disconnects
// work is held back.
func TestAdvisoryJoinAndLeave(t *testing.T) {
	bubble(t, &socketio.Options{MaxReceivedEvents: 4}, func(t *testing.T, h *harness) {
		var d diary
		done := make(chan struct{})
		h.OnDisconnect(func(context.Context, *socketio.Socket, socketio.DisconnectReason) {
			d.add("left")
			<-done
		})
		c := h.open()
		for range 4 {
			c.connect("/", "")
			c.packet("1")
		}
		d.want(t, "left", "left", "left", "left")
		sent := make(chan struct{})
		go func() { // it may have to wait
			defer close(sent)
			c.packet("0")
		}()
		wait(time.Second)
		c.want() // nobody reads the CONNECT
		close(done)
		<-sent
		if got := c.next(); !strings.HasPrefix(got, "40{") {
			t.Errorf("client got %q; want to join", got)
		}
	})
}

func TestAdvisoryRoomNames(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		s, _ := h.Socket(h.open().connect("/", ""))
		if err := s.Join(strings.Repeat("x", 4096)); err != nil {
			t.Error(err)
		}
		if err := s.Join("a", strings.Repeat("x", 4097)); !errors.Is(err, socketio.ErrRoomNameTooLong) {
			t.Errorf("Join = %v; want %v", err, socketio.ErrRoomNameTooLong)
		}
		if s.InRoom("a") {
			t.Error("joined one of the rooms all the same")
		}
		for i := range 999 {
			if err := s.Join(fmt.Sprint(i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Join("one more"); !errors.Is(err, socketio.ErrTooManyRooms) {
			t.Errorf("Join = %v; want %v", err, socketio.ErrTooManyRooms)
		}
	})
}

// A broadcast goes on while one of its recipients does not read; that one is
// cut when its queue is full.
func TestAdvisorySlowReader(t *testing.T) {
	bubble(t, &socketio.Options{MaxQueuedBytes: 100_000}, func(t *testing.T, h *harness) {
		gone := make(chan socketio.DisconnectReason, 1)
		h.OnDisconnect(func(_ context.Context, _ *socketio.Socket, r socketio.DisconnectReason) { gone <- r })
		bystander := h.join()
		slow, err := h.network.Dial()
		if err != nil {
			t.Fatal(err)
		}
		defer slow.Close()
		// It reads the answer to its handshake and nothing else.
		io.WriteString(slow, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: memory\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
		slow.Read(make([]byte, 4096))
		slow.Write(ws.AppendMasked(nil, ws.Text, []byte("40"), [4]byte{}))
		wait(time.Second)
		if n := h.Connections(); n != 2 {
			t.Fatalf("%d connections; want 2", n)
		}
		page := strings.Repeat("x", 1000)
		for i := range 400 {
			h.Emit("page", i, page)
			if got, want := bystander.next(), fmt.Sprintf(`42["page",%d,"%s"]`, i, page); got != want {
				t.Fatalf("bystander got %.60q; want %.60q", got, want)
			}
		}
		wait(time.Second)
		if n := h.Connections(); n != 1 {
			t.Errorf("%d connections; want the bystander's", n)
		}
		select {
		case r := <-gone:
			if r != socketio.TransportError {
				t.Errorf("ended with %q", string(r))
			}
		default:
			t.Error("the slow socket was not disconnected")
		}
	})
}

// Whatever a handler panics with, on any of the paths that run it, ends that
// socket and nothing else.
func TestAdvisoryHandlerPanics(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		h.OnAny(func(_ context.Context, _ *socketio.Socket, m *socketio.Message) error {
			switch m.Event() {
			case "nil map":
				var none map[string]int
				none["x"] = 1
			case "index":
				_ = m.Event()[len(m.Event()):][0]
			case "error":
				panic(io.EOF)
			}
			return nil
		})
		bystander := h.join()
		for _, event := range []string{"nil map", "index", "error"} {
			c := h.join()
			c.packet(`2["` + event + `"]`)
			c.want("41")
		}
		h.Emit("alive")
		bystander.want(`42["alive"]`)
	})
}

// TestAdvisoryPanicsFillNoLog: a client can have a handler panic as often as it comes
// back. All are counted, and ten a second are logged.
func TestAdvisoryPanicsFillNoLog(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		var stacks []int
		h.OnError(func(_ context.Context, _ *socketio.Socket, err error) {
			if p, ok := errors.AsType[*socketio.PanicError](err); ok {
				stacks = append(stacks, len(p.Stack))
			}
		})
		h.OnAny(func(context.Context, *socketio.Socket, *socketio.Message) error { panic("again") })
		again := func(n int) {
			for range n {
				c := h.join()
				c.packet(`2["x"]`)
				c.want("41")
			}
		}
		again(25)
		time.Sleep(time.Second)
		again(1)
		if n := h.Stats().Panics; n != 26 {
			t.Errorf("%d panics were counted; want 26", n)
		}
		log := h.log.String()
		if n := strings.Count(log, "panic in a handler"); n != 11 {
			t.Errorf("%d were logged; want 11", n)
		}
		if !strings.Contains(log, "unlogged=15") {
			t.Error("the log does not say how many are missing")
		}
		if len(stacks) != 26 || stacks[9] == 0 || stacks[10] != 0 || stacks[25] == 0 {
			t.Errorf("stacks of %v bytes", stacks)
		}
	})
}
