package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/rawclient"
)

// start returns a chat and the address that clients connect to.
func start(t *testing.T) (c *Chat, base string) {
	srv := socketio.NewServer(nil)
	c = New(srv.Of("/"))
	hs := httptest.NewServer(srv)
	t.Cleanup(func() {
		srv.Close()
		hs.Close()
	})
	return c, hs.URL + "/socket.io/"
}

// A visitor is one connection to the chat, over WebSocket.
type visitor struct {
	t *testing.T
	*rawclient.WebSocket
}

func visit(t *testing.T, base string) visitor {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	c, err := rawclient.DialWebSocket(ctx, base)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := rawclient.Join(ctx, c); err != nil {
		t.Fatal(err)
	}
	return visitor{t, c}
}

func (v visitor) emit(event string, arg any) {
	v.t.Helper()
	b, err := json.Marshal([]any{event, arg})
	if err != nil {
		v.t.Fatal(err)
	}
	if err := v.Send(v.t.Context(), "42"+string(b)); err != nil {
		v.t.Fatal(err)
	}
}

// hear waits for the next such event and decodes its argument.
func hear[T any](v visitor, event string) T {
	v.t.Helper()
	prefix := fmt.Sprintf("42[%q", event)
	packet, err := v.Expect(v.t.Context(), prefix)
	if err != nil {
		v.t.Fatal(err)
	}
	var args []json.RawMessage
	var arg T
	if err := json.Unmarshal([]byte(packet[2:]), &args); err != nil {
		v.t.Fatal(err)
	}
	if err := json.Unmarshal(args[1], &arg); err != nil {
		v.t.Fatalf("%s: %v", packet, err)
	}
	return arg
}

func arrive(t *testing.T, base, name string) (visitor, []Message) {
	t.Helper()
	v := visit(t, base)
	v.emit("user join", Join{name})
	return v, hear[[]Message](v, "message history")
}

func TestTwoPeopleTalk(t *testing.T) {
	_, base := start(t)
	ada, past := arrive(t, base, "Ada")
	if len(past) != 0 {
		t.Errorf("history of a new chat = %v", past)
	}
	hear[[]User](ada, "user list")
	bob, _ := arrive(t, base, "  Bob ")
	if p := hear[Presence](ada, "user joined"); p.Username != "Bob" {
		t.Errorf("joined: %+v; want Bob", p)
	}
	if l := hear[[]User](ada, "user list"); len(l) != 2 || l[0].Username != "Ada" || l[1].Username != "Bob" {
		t.Errorf("users = %+v; want Ada and Bob in order of arrival", l)
	}
	bob.emit("typing", true)
	if got := hear[Typing](ada, "user typing"); got != (Typing{"Bob", true}) {
		t.Errorf("typing = %+v", got)
	}
	const hostile = `<img src=x onerror="alert(1)">`
	bob.emit("chat message", Say{hostile})
	for _, v := range []visitor{ada, bob} {
		m := hear[Message](v, "chat message")
		if m.Message != hostile || m.Username != "Bob" || m.ID == "" || m.Timestamp == 0 {
			t.Errorf("heard %+v", m)
		}
	}
	bob.Close()
	if p := hear[Presence](ada, "user left"); p.Username != "Bob" {
		t.Errorf("left: %+v; want Bob", p)
	}
	if l := hear[[]User](ada, "user list"); len(l) != 1 {
		t.Errorf("users = %+v; want Ada alone", l)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	c, base := start(t)
	ada, _ := arrive(t, base, "Ada")
	const said = keptPast + 7
	for i := range said {
		ada.emit("chat message", Say{fmt.Sprint(i)})
		hear[Message](ada, "chat message")
	}
	_, past := arrive(t, base, "Bob")
	if len(past) != sentPast || past[len(past)-1].Message != fmt.Sprint(said-1) {
		t.Errorf("history has %d messages; want the last %d", len(past), sentPast)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.past[lobby]); n != keptPast {
		t.Errorf("%d messages are kept; want %d", n, keptPast)
	}
}

func TestRoomsAreApart(t *testing.T) {
	c, base := start(t)
	ada, _ := arrive(t, base, "Ada")
	bob, _ := arrive(t, base, "Bob")
	if err := ada.Send(t.Context(), `421["join room","den"]`); err != nil {
		t.Fatal(err)
	}
	if answer, err := ada.Expect(t.Context(), "431"); err != nil || answer != "431[[]]" {
		t.Fatalf("ack = %q, %v; want an empty history", answer, err)
	}
	ada.emit("chat message", Say{"in the den"})
	hear[Message](ada, "chat message")
	bob.emit("chat message", Say{"in the lobby"})
	if m := hear[Message](bob, "chat message"); m.Message != "in the lobby" {
		t.Errorf("Bob heard %q, which was said in another room", m.Message)
	}
	ada.Close()
	hear[Presence](bob, "user left")
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, kept := c.past["den"]; kept {
		t.Error("the past of a room that nobody is in is kept")
	}
}

func TestTroubleIsTold(t *testing.T) {
	_, base := start(t)
	for _, test := range []struct {
		name, event string
		arg         any
		joined      bool
		want        Trouble
	}{
		{"a stranger speaks", "chat message", Say{"hello"}, false, errStranger},
		{"a stranger types", "typing", true, false, errStranger},
		{"no name", "user join", Join{"  "}, false, Trouble{"bad_name", "a name is needed"}},
		{"a long name", "user join", Join{strings.Repeat("n", maxName+1)}, false, Trouble{"bad_name", "the name is too long"}},
		{"nothing said", "chat message", Say{" "}, true, Trouble{"bad_message", "Invalid message format"}},
		{"too much said", "chat message", Say{strings.Repeat("é", maxMessage+1)}, true, Trouble{"bad_message", "Message too long"}},
		{"the wrong type", "chat message", 7, true, Trouble{"bad_arguments", "Invalid message format"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := visit(t, base)
			if test.joined {
				v.emit("user join", Join{"Ada"})
			}
			v.emit(test.event, test.arg)
			if got := hear[Trouble](v, "error"); got != test.want {
				t.Errorf("error = %+v; want %+v", got, test.want)
			}
		})
	}
}
