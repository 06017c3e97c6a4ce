package socketio_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/parser/msgpack"
)

// traced returns what the log has of a component, without times and ids.
func traced(h *harness, component string) (lines []string) {
	varying := regexp.MustCompile(`^time=\S+ level=DEBUG |(component|connection)=\S+ ?`)
	for line := range strings.Lines(h.log.String()) {
		if strings.Contains(line, "component="+component+" ") {
			lines = append(lines, strings.TrimSpace(varying.ReplaceAllString(strings.TrimSpace(line), "")))
		}
	}
	return lines
}

// TestTrace: at level Debug every packet is one line, decoded, both ways; and
// no token is in it.
func TestTrace(t *testing.T) {
	bubble(t, nil, func(t *testing.T, h *harness) {
		h.Of("/chat").OnConnection(func(_ context.Context, s *socketio.Socket) error {
			s.On("say", func(_ context.Context, m *socketio.Message) error {
				if err := s.Namespace().Emit("said", []byte{1, 2}, strings.Repeat("é", 300)); err != nil {
					return err
				}
				return m.Ack("ok", 1)
			})
			return nil
		})
		c := h.open()
		c.connect("/chat", `{"token":"secret"}`)
		c.packet(`2/chat,7["say",{"x":"hi"},2]`)
		c.take()
		c.packet("1/chat,")
		c.take()
		want := []string{
			`msg=packet dir=in type=CONNECT nsp=/chat payload="18 bytes, not shown"`,
			`msg=packet dir=out type=CONNECT nsp=/chat payload="30 bytes, not shown"`,
			`msg=packet dir=in type=EVENT nsp=/chat ack=7 event=say args="{\"x\":\"hi\"}, 2"`,
			`msg=packet dir=out type=EVENT nsp=/chat event=said args="{\"_placeholder\":true,\"num\":0}, \"` + strings.Repeat("é", 184) + `… (2 arguments)" attachments=1 bytes=2`,
			`msg=packet dir=out type=ACK nsp=/chat ack=7 args="\"ok\", 1"`,
			`msg=packet dir=in type=DISCONNECT nsp=/chat`,
		}
		if got := traced(h, "socket.io-parser"); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("traced:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		engine := strings.Join(traced(h, "engine:socket"), "\n")
		for _, line := range []string{
			`msg="session open" transport=websocket protocol=4`,
			`msg=packet dir=in type=message bytes=28 binary=false transport=websocket`,
			`msg=packet dir=out type=message bytes=2 binary=true transport=websocket`,
		} {
			if !strings.Contains(engine, line) {
				t.Errorf("the engine's trace lacks %s:\n%s", line, engine)
			}
		}
		for line := range strings.Lines(h.log.String()) {
			if strings.Contains(line, "secret") {
				t.Errorf("the log has the token: %s", line)
			}
			if n := strings.Count(line, "component="); n != 1 {
				t.Errorf("%d components in %s", n, line)
			}
		}
	})
}

// TestTraceMessagePack: what is not text is shown as it would print.
func TestTraceMessagePack(t *testing.T) {
	bubble(t, &socketio.Options{Parser: msgpack.Parser}, func(t *testing.T, h *harness) {
		h.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			return s.Emit("hi", map[string]any{"n": 5, "b": []byte{1}}, 53)
		})
		c := h.open()
		c.binary([]byte("\x82\xa4type\x00\xa3nsp\xa1/")...)
		c.take()
		got := traced(h, "socket.io-parser")
		if len(got) != 3 || !strings.Contains(got[2], `event=hi args="map[b:[1] n:5], 53"`) {
			t.Errorf("traced:\n%s", strings.Join(got, "\n"))
		}
	})
}
