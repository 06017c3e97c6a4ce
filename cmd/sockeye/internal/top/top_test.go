package top

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func (s *state) tell(event string, args ...string) {
	raw := make([]json.RawMessage, len(args))
	for i, a := range args {
		raw[i] = json.RawMessage(a)
	}
	s.apply(event, raw, noon)
}

func watched() *state {
	s := newState()
	s.tell("config", `{"supportedFeatures":["ALL_EVENTS"]}`)
	s.tell("server_stats", `{"serverId":"a","uptime":61,"pid":7,"clientsCount":2,"pollingClientsCount":1,"aggregatedEvents":[{"type":"packetsIn","count":4},{"type":"packetsOut","count":6}],"namespaces":[{"name":"/","socketsCount":2}]}`)
	s.tell("all_sockets", `[{"id":"s1","nsp":"/","transport":"polling","rooms":["s1","red"],"handshake":{"address":"::1"}}]`)
	s.tell("socket_connected", `{"id":"s2","nsp":"/","transport":"websocket","rooms":["s2"]}`, `"t"`)
	s.tell("room_joined", `"/"`, `"red"`, `"s2"`)
	s.tell("room_joined", `"/"`, `"red"`, `"s2"`)
	s.tell("room_joined", `"/"`, `"blue"`, `"s2"`)
	s.tell("event_received", `"/"`, `"s1"`, `["say","hi"]`, `"t"`)
	s.tell("event_received", `"/"`, `"s1"`, `["say","hi"]`, `"t"`)
	s.tell("event_sent", `"/"`, `"s2"`, `["said","hi"]`, `"t"`)
	return s
}

func TestState(t *testing.T) {
	s := watched()
	if fmt.Sprint(s.rooms()) != "[{/ red 2} {/ blue 1}]" {
		t.Errorf("rooms %v", s.rooms())
	}
	if s.rates[0] != 5 || s.conns[0] != 2 {
		t.Errorf("curves %v %v", s.rates, s.conns)
	}
	for _, c := range []struct {
		view   string
		filter string
		sort   int
		want   string
	}{
		{"sockets", "", 0, "[[2 0 1 polling / ::1 s1] [0 1 2 websocket /  s2]]"},
		{"sockets", "", 1, "[[0 1 2 websocket /  s2] [2 0 1 polling / ::1 s1]]"},
		{"sockets", "", 6, "[[2 0 1 polling / ::1 s1] [0 1 2 websocket /  s2]]"},
		{"sockets", "WEBSOCKET", 0, "[[0 1 2 websocket /  s2]]"},
		{"rooms", "", 0, "[[2 / red] [1 / blue]]"},
		{"rooms", "", 2, "[[1 / blue] [2 / red]]"},
		{"events", "", 1, "[[0.0 2 0 / say] [0.0 0 1 / said]]"},
		{"namespaces", "", 0, "[[2 /]]"},
		{"servers", "", 0, "[[2 1 1m1s 0s 7 a]]"},
	} {
		if got := fmt.Sprint(s.table(c.view, c.filter, c.sort, noon).rows); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
	s.tick(time.Second)
	if got := s.events["/\x00say"].rate; got != 1 {
		t.Errorf("rate %v; want half of two", got)
	}
	s.tell("room_left", `"/"`, `"red"`, `"s2"`)
	s.tell("socket_disconnected", `"/"`, `"s1"`, `"bye"`, `"t"`)
	if fmt.Sprint(s.rooms()) != "[{/ blue 1}]" || len(s.sockets) != 1 {
		t.Errorf("after the end of s1: %v", s.rooms())
	}
	s.apply("server_stats", []json.RawMessage{json.RawMessage(`{"serverId":"b","clientsCount":1}`)}, noon.Add(time.Minute))
	if len(s.servers) != 1 || s.servers["b"] == nil {
		t.Errorf("a server that is gone is still there: %v", s.servers)
	}
}

func TestStateIsBounded(t *testing.T) {
	s := newState()
	for i := range maxNames + 10 {
		s.tell("event_received", `"/"`, `"x"`, fmt.Sprintf(`["e%d"]`, i))
	}
	for range 3 * maxCurve {
		s.tell("server_stats", `{"serverId":"a"}`)
	}
	if len(s.events) != maxNames || !s.dropped || len(s.conns) != maxCurve {
		t.Errorf("%d events, %d points", len(s.events), len(s.conns))
	}
}

// TestScreen: what is drawn fits, whatever the size and the names.
func TestScreen(t *testing.T) {
	sc := &screen{state: watched(), style: cli.Coloured, place: "host/admin", up: true, says: "live", now: noon}
	sc.state.tell("room_joined", `"/"`, `"\u001b[2J`+strings.Repeat("語", 200)+`"`, `"s2"`)
	for view := range views {
		sc.view = view
		for _, size := range [][2]int{{120, 30}, {40, 10}, {10, 3}, {1, 1}} {
			sc.width, sc.height = size[0], size[1]
			lines := strings.Split(sc.text(), "\n")
			if len(lines) > sc.height {
				t.Errorf("%s at %v has %d lines", views[view], size, len(lines))
			}
			for _, l := range lines {
				if ansi.StringWidth(l) > sc.width || strings.Contains(l, "\x1b[2J") {
					t.Errorf("%s at %v: %q", views[view], size, l)
				}
			}
		}
	}
}

func FuzzApply(f *testing.F) {
	f.Add("server_stats", `[{"serverId":"a","namespaces":[{}]}]`)
	f.Add("all_sockets", `[[null,{"id":"x","rooms":[null]}]]`)
	f.Add("event_sent", `["/","x",["e",1]]`)
	f.Fuzz(func(t *testing.T, event, text string) {
		var args []json.RawMessage
		if json.Unmarshal([]byte(text), &args) != nil {
			return
		}
		s := watched()
		s.apply(event, args, noon)
		for i := range views {
			s.table(views[i], "", i, noon)
		}
	})
}
