package socketio_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
)

// A badInput is what a client that has joined "/" sends: text packets of
// Engine.IO, or binary behind "b:".
type badInput struct {
	name string
	send []string
	// err is what the error hook is told, "" where the original tells nothing.
	err string
	// websocket and polling are the reasons of the disconnect there.
	websocket, polling socketio.DisconnectReason
}

// The answers of the original to malformed packets: the error hooks of the
// sockets hear of it, and the connection ends.
func malformed(name, err string, send ...string) badInput {
	return badInput{name, send, err, socketio.ForcedClose, socketio.ForcedClose}
}

// To packets that are well-formed and make no sense at this point.
func violation(name string, send ...string) badInput {
	return badInput{name, send, "", socketio.ForcedClose, socketio.ForcedServerClose}
}

// To what is no packet of Engine.IO.
func engineEnds(name string, reason socketio.DisconnectReason, send ...string) badInput {
	return badInput{name, send, "", reason, reason}
}

var badInputs = []badInput{
	malformed("type 7", "unknown packet type 7", "47"),
	malformed("type 9", "unknown packet type 9", `49["x"]`),
	malformed("type is a letter", "unknown packet type NaN", "4x"),
	malformed("count without a dash", "Illegal attachments", `451["x"]`),
	malformed("count is no number", "Illegal attachments", `45x-["x"]`),
	malformed("no count", "Illegal attachments", `45-["x"]`),
	malformed("negative count", "Illegal attachments", `45-1-["x"]`),
	malformed("count of zero", "Illegal attachments", `450-["x"]`),
	malformed("one attachment too many", "too many attachments", `4511-["x"]`),
	malformed("broken JSON", "invalid payload", `42["x"`),
	malformed("garbage behind JSON", "invalid payload", `42["x"]]`),
	malformed("event is an object", "invalid payload", `42{"x":1}`),
	malformed("event is a string", "invalid payload", `42"x"`),
	malformed("event without a name", "invalid payload", `42[]`),
	malformed("name is an object", "invalid payload", `42[{"toString":"x"}]`),
	malformed("name is null", "invalid payload", `42[null]`),
	malformed("name is true", "invalid payload", `42[true]`),
	malformed("name is an array", "invalid payload", `42[["x"]]`),
	malformed("ack is an object", "invalid payload", `431{"x":1}`),
	malformed("DISCONNECT with a payload", "invalid payload", `41{"x":1}`),
	malformed("CONNECT with an array", "invalid payload", `40["x"]`),
	malformed("CONNECT with a string", "invalid payload", `40"x"`),
	malformed("CONNECT_ERROR with an array", "invalid payload", `44["x"]`),
	malformed("reserved name connect", "invalid payload", `42["connect"]`),
	malformed("reserved name connect_error", "invalid payload", `42["connect_error"]`),
	malformed("reserved name disconnect", "invalid payload", `42["disconnect"]`),
	malformed("reserved name disconnecting", "invalid payload", `42["disconnecting"]`),
	malformed("reserved name newListener", "invalid payload", `42["newListener"]`),
	malformed("reserved name removeListener", "invalid payload", `42["removeListener"]`),
	malformed("text instead of an attachment", "got plaintext data when reconstructing a packet",
		`451-["x",{"_placeholder":true,"num":0}]`, `42["y"]`),
	malformed("attachment of nothing", "got binary data when not reconstructing a packet", "b:\x01"),
	malformed("placeholder out of range", "illegal attachments", `451-["x",{"_placeholder":true,"num":1}]`, "b:\x01"),
	malformed("negative placeholder", "illegal attachments", `451-["x",{"_placeholder":true,"num":-1}]`, "b:\x01"),
	malformed("placeholder is a string", "illegal attachments", `451-["x",{"_placeholder":true,"num":"splice"}]`, "b:\x01"),
	malformed("placeholder is a fraction", "illegal attachments", `451-["x",{"_placeholder":true,"num":0.5}]`, "b:\x01"),

	violation("second CONNECT", "40"),
	violation("CONNECT_ERROR", `44{"message":"x"}`),
	violation("event of a namespace that is not joined", `42/other,["x"]`),
	violation("ack of a namespace that is not joined", `43/other,1[]`),
	violation("DISCONNECT of a namespace that is not joined", `41/other,`),

	engineEnds("unknown type", socketio.ParseError, "9"),
	engineEnds("letter", socketio.ParseError, "x"),
	engineEnds("empty packet", socketio.ParseError, ""),
	engineEnds("ping from a client", socketio.TransportError, "2"),
	engineEnds("close", socketio.TransportClose, "1"),
}

func TestBadInput(t *testing.T) {
	for _, tt := range badInputs {
		for _, transport := range []string{"websocket", "polling"} {
			t.Run(tt.name+"/"+transport, func(t *testing.T) {
				bubble(t, nil, func(t *testing.T, h *harness) {
					var d diary
					h.OnAny(func(_ context.Context, _ *socketio.Socket, m *socketio.Message) error {
						d.add("event %q", m.Event())
						return nil
					})
					h.OnError(func(_ context.Context, _ *socketio.Socket, err error) { d.add("error: %v", err) })
					bystander := h.join()
					var want []string
					if tt.err != "" { // the hook of this client's socket alone
						want = append(want, "error: "+tt.err)
					}
					switch transport {
					case "websocket":
						c := h.join()
						h.OnDisconnect(func(_ context.Context, _ *socketio.Socket, r socketio.DisconnectReason) { d.add("%s", string(r)) })
						for _, p := range tt.send {
							if b, ok := strings.CutPrefix(p, "b:"); ok {
								c.binary([]byte(b)...)
							} else {
								c.send(p)
							}
						}
						c.want("end")
						d.want(t, append(want, string(tt.websocket))...)
					case "polling":
						query := h.openPolling()
						h.OnDisconnect(func(_ context.Context, _ *socketio.Socket, r socketio.DisconnectReason) { d.add("%s", string(r)) })
						var payload []string
						for _, p := range tt.send {
							if b, ok := strings.CutPrefix(p, "b:"); ok {
								p = "b" + base64.StdEncoding.EncodeToString([]byte(b))
							}
							payload = append(payload, p)
						}
						if got := h.post(query, strings.Join(payload, "\x1e")); got != "ok" {
							t.Errorf("POST = %q", got)
						}
						d.want(t, append(want, string(tt.polling))...)
						// The engine's own reasons leave nothing to poll for.
						if got := h.get(query); got != "6\x1e1" && !strings.HasPrefix(got, `{"code":1,`) {
							t.Errorf("next poll = %q", got)
						}
					}
					h.Emit("alive")
					bystander.want(`42["alive"]`)
					if n := h.Connections(); n != 1 {
						t.Errorf("%d connections; want the bystander's", n)
					}
				})
			})
		}
	}
}

// What only looks like a violation closes nothing, on either transport.
func TestBadInputHarmless(t *testing.T) {
	packets := []string{
		`42["nobody listens",1]`, `4299["nobody answers"]`, `43777["ack of nothing"]`, `43["ack without an id"]`,
		`42["error",1]`, `42[5,"a number as a name"]`, `42`, `43`, `40/nowhere,`, `0`, `3`, `3x`, `5`, `6`,
		`42["x",{"_placeholder":true,"num":7}]`, // no binary packet: an object like any other
		`42["__proto__",{"__proto__":1}]`,
	}
	t.Run("websocket", func(t *testing.T) {
		bubble(t, nil, func(t *testing.T, h *harness) {
			c := h.join()
			for _, p := range packets {
				c.send(p)
			}
			wait(time.Second)
			h.Emit("alive")
			c.want(`44/nowhere,{"message":"Invalid namespace"}`, `42["alive"]`)
		})
	})
	t.Run("polling", func(t *testing.T) {
		bubble(t, nil, func(t *testing.T, h *harness) {
			query := h.openPolling()
			if got := h.post(query, strings.Join(packets, "\x1e")); got != "ok" {
				t.Errorf("POST = %q", got)
			}
			wait(time.Second)
			h.Emit("alive")
			want := strings.Join([]string{`44/nowhere,{"message":"Invalid namespace"}`, `42["alive"]`}, "\x1e")
			if got := h.get(query); got != want {
				t.Errorf("poll = %q; want %q", got, want)
			}
			if res, err := h.http.Get(fmt.Sprintf("http://memory/socket.io/?EIO=3&transport=polling%s", query)); err != nil || res.StatusCode != 400 {
				t.Errorf("another revision: %v, %v; want 400", res, err)
			} else {
				res.Body.Close()
			}
			h.Emit("still alive")
			if got := h.get(query); got != `42["still alive"]` {
				t.Errorf("poll = %q", got)
			}
		})
	})
}
