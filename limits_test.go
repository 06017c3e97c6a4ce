package socketio_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/internal/memnet"
)

// Each limit on what a packet may be: the last that is fine, which arrives and
// counts nothing, and one more, which ends its connection alone. Limits of
// sessions and frames are tested in package engineio.
func TestLimitsOfPackets(t *testing.T) {
	placeholder := func(n int) string { return fmt.Sprintf(`{"_placeholder":true,"num":%d}`, n) }
	binary := func(attachments, size int) func(*client) {
		return func(c *client) {
			var args []string
			for i := range attachments {
				args = append(args, placeholder(i))
			}
			c.packet(fmt.Sprintf(`5%d-["x",%s]`, attachments, strings.Join(args, ",")))
			for range attachments {
				c.binary(make([]byte, size)...)
			}
		}
	}
	packet := func(format string, args ...any) func(*client) {
		return func(c *client) { c.packet(fmt.Sprintf(format, args...)) }
	}
	tests := []struct {
		limit          string
		options        socketio.Options
		fits, oversize func(*client)
		err            string
	}{
		{"MaxAttachments", socketio.Options{MaxAttachments: 3}, binary(3, 1), binary(4, 1), "too many attachments"},
		{"MaxAttachmentBytes", socketio.Options{MaxAttachmentBytes: 100}, binary(2, 50), binary(2, 51), "attachments are too large"},
		{"MaxArguments", socketio.Options{MaxArguments: 3}, packet(`2["x",1,2,3]`), packet(`2["x",1,2,3,4]`), "too many arguments"},
		{"MaxDepth", socketio.Options{MaxDepth: 3}, packet(`2["x",[{}]]`), packet(`2["x",[[{}]]]`), "payload is nested too deeply"},
		{"MaxEventName", socketio.Options{MaxEventName: 3}, packet(`2["xyz"]`), packet(`2["xyzz"]`), "event name is too long"},
		{"MaxNamespaceName", socketio.Options{MaxNamespaceName: 4}, packet(`2/nsp,["x"]`), packet(`2/nspq,["x"]`), "namespace is too long"},
	}
	for _, tt := range tests {
		t.Run(tt.limit, func(t *testing.T) {
			bubble(t, &tt.options, func(t *testing.T, h *harness) {
				var d diary
				for _, n := range []*socketio.Namespace{h.Namespace, h.Of("/nsp")} {
					n.OnAny(func(_ context.Context, _ *socketio.Socket, m *socketio.Message) error {
						d.add("event")
						return nil
					})
					n.OnError(func(_ context.Context, _ *socketio.Socket, err error) { d.add("%v", err) })
				}
				bystander, c := h.join(), h.open()
				if tt.limit == "MaxNamespaceName" {
					c.connect("/nsp", "")
				} else {
					c.connect("/", "")
				}
				tt.fits(c)
				d.want(t, "event")
				if got := h.Stats().Limits; len(got) != 0 {
					t.Errorf("at the limit %v was counted", got)
				}
				tt.oversize(c)
				d.want(t, tt.err)
				if got, want := h.Stats().Limits, map[string]uint64{tt.limit: 1}; !maps.Equal(got, want) {
					t.Errorf("limits hit: %v; want %v", got, want)
				}
				if got := c.take(); len(got) != 1 || got[0] != "end" {
					t.Errorf("client got %q; want its end", got)
				}
				h.Emit("alive")
				bystander.want(`42["alive"]`)
			})
		})
	}
}

// A placeholder may not be used twice, whatever the count says.
func TestEachAttachmentOnce(t *testing.T) {
	ends(t, nil, "illegal attachments", func(c *client) {
		c.packet(`52-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`)
		c.binary(1)
		c.binary(2)
	})
}

func (h *harness) wantLimits(want map[string]uint64) {
	h.t.Helper()
	if got := h.Stats().Limits; !maps.Equal(got, want) {
		h.t.Errorf("limits hit: %v; want %v", got, want)
	}
}

func TestLimitRooms(t *testing.T) {
	bubble(t, &socketio.Options{MaxRooms: 3, MaxRoomName: 4}, func(t *testing.T, h *harness) {
		s, _ := h.Socket(h.open().connect("/", ""))
		other, _ := h.Socket(h.open().connect("/", ""))
		for _, rooms := range [][]string{{"a", "b"}, {"a", "b", "b", "cccc"}, {"a", "b", "cccc"}, {s.ID()[:0]}, nil} {
			if len(rooms) == 1 { // "" is a room like any other, and one too many
				continue
			}
			if err := s.Join(rooms...); err != nil {
				t.Errorf("Join(%q) = %v", rooms, err)
			}
		}
		h.wantLimits(map[string]uint64{})
		if err := s.Join("a", "d"); !errors.Is(err, socketio.ErrTooManyRooms) || s.InRoom("d") {
			t.Errorf("Join = %v", err)
		}
		if err := s.Join("ddddd"); !errors.Is(err, socketio.ErrRoomNameTooLong) {
			t.Errorf("Join = %v", err)
		}
		h.wantLimits(map[string]uint64{"MaxRooms": 1, "MaxRoomName": 1})

		// Of all sockets, those join that may.
		if err := h.SocketsJoin("d"); !errors.Is(err, socketio.ErrTooManyRooms) {
			t.Errorf("SocketsJoin = %v", err)
		}
		if s.InRoom("d") || !other.InRoom("d") {
			t.Errorf("joined: %v, %v; want false, true", s.InRoom("d"), other.InRoom("d"))
		}
		if err := h.SocketsJoin("ddddd"); !errors.Is(err, socketio.ErrRoomNameTooLong) || other.InRoom("ddddd") {
			t.Errorf("SocketsJoin = %v", err)
		}
		h.wantLimits(map[string]uint64{"MaxRooms": 2, "MaxRoomName": 2})
		// What an adapter does for another node is held to the limit too.
		h.Adapter().Join(s, "e")
		if h.Adapter().SocketsJoin(adapter.Target{}, "e"); s.InRoom("e") {
			t.Error("the adapter goes beyond the limit")
		}
		s.Leave("a")
		if err := s.Join("e"); err != nil {
			t.Error(err)
		}
	})
}

func TestLimitNamespaces(t *testing.T) {
	bubble(t, &socketio.Options{MaxNamespaces: 2, MaxDynamicNamespaces: 2}, func(t *testing.T, h *harness) {
		h.OfFunc(func(name string) bool { return strings.HasPrefix(name, "/d") })
		c := h.join()
		c.connect("/d1", "")
		h.wantLimits(map[string]uint64{})
		c.packet("0/d1x,")
		c.want(`44/d1x,{"message":"too many namespaces"}`)
		h.wantLimits(map[string]uint64{"MaxNamespaces": 1})
		// Two have been made by clients, for two have been asked for.
		other := h.open()
		other.connect("/d1", "")
		other.packet("0/d3,")
		other.want(`44/d3,{"message":"Invalid namespace"}`)
		h.wantLimits(map[string]uint64{"MaxNamespaces": 1, "MaxDynamicNamespaces": 1})
	})
}

func TestLimitPendingAcks(t *testing.T) {
	bubble(t, &socketio.Options{MaxPendingAcks: 2}, func(t *testing.T, h *harness) {
		c := h.open()
		s, _ := h.Socket(c.connect("/", ""))
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 2 {
			go s.EmitWithAck(ctx, "x")
			c.want(fmt.Sprintf(`42%d["x"]`, i)) // one after the other: each is a goroutine
		}
		h.wantLimits(map[string]uint64{})
		if _, err := s.EmitWithAck(ctx, "x"); !errors.Is(err, socketio.ErrTooManyAcks) {
			t.Errorf("one too many: %v", err)
		}
		for range h.EmitWithAcks(ctx, "y") {
			t.Error("an answer to what was not sent")
		}
		h.wantLimits(map[string]uint64{"MaxPendingAcks": 2})
		cancel()
		c.want()
	})
}

func TestLimitConnectTimeout(t *testing.T) {
	bubble(t, &socketio.Options{ConnectTimeout: time.Second}, func(t *testing.T, h *harness) {
		c, late := h.open(), h.open()
		wait(time.Second - time.Millisecond)
		c.connect("/", "")
		h.wantLimits(map[string]uint64{})
		wait(2 * time.Millisecond)
		late.want("end")
		c.want()
		h.wantLimits(map[string]uint64{"ConnectTimeout": 1})
	})
}

// Events that wait for a handler which waits for an ack of their own sender:
// sixteen times the limit, and one more.
func TestLimitReceived(t *testing.T) {
	for limit, o := range map[string]socketio.Options{
		"MaxReceivedEvents": {MaxReceivedEvents: 2},
		"MaxReceivedBytes":  {MaxReceivedBytes: 100},
	} {
		bubble(t, &o, func(t *testing.T, h *harness) {
			h.OnAny(func(ctx context.Context, s *socketio.Socket, m *socketio.Message) error {
				_, err := s.EmitWithAck(ctx, "wait")
				return err
			})
			c := h.join()
			c.packet(`2["x"]`)
			c.want(`420["wait"]`)
			size := len(`2["x"]`)
			fit := 16*2 - 1
			if limit == "MaxReceivedBytes" {
				fit = 16*100/size - 1
			}
			for range fit {
				c.packet(`2["x"]`)
			}
			c.want()
			h.wantLimits(map[string]uint64{})
			c.packet(`2["x"]`)
			c.want("end")
			h.wantLimits(map[string]uint64{limit: 1})
		})
	}
}

func TestLimitSocketsPerUser(t *testing.T) {
	bubble(t, &socketio.Options{
		MaxSocketsPerUser: 2,
		User: func(s *socketio.Socket) string {
			var auth struct{ User string }
			if s.DecodeAuth(&auth); auth.User == "panic" {
				panic("in User")
			}
			return auth.User
		},
	}, func(t *testing.T, h *harness) {
		h.Of("/other")
		refused := func(nsp, auth string) {
			t.Helper()
			c := h.open()
			c.packet("0" + nsp + auth)
			if got := c.next(); got != "44"+nsp+`{"message":"too many connections"}` {
				t.Errorf("got %q", got)
			}
		}
		first := h.open()
		first.connect("/", `{"user":"ann"}`)
		second := h.open()
		second.connect("/", `{"user":"ann"}`)
		second.connect("/other", `{"user":"ann"}`)
		h.open().connect("/", `{"user":"bob"}`)
		for range 3 { // those who are nobody have no limit
			h.open().connect("/", "")
		}
		h.wantLimits(map[string]uint64{})
		refused("", `{"user":"ann"}`)
		h.wantLimits(map[string]uint64{"MaxSocketsPerUser": 1})
		refused("", `{"user":"panic"}`)
		first.leave()
		second.packet("1")
		wait(time.Second)
		for range 2 {
			h.open().connect("/", `{"user":"ann"}`)
		}
		refused("", `{"user":"ann"}`)
		st := h.Stats()
		if st.Sockets != 7 || st.Joined != 9 || st.Refused != 3 || st.Left[socketio.TransportClose] != 1 || st.Left[socketio.ClientDisconnect] != 1 || st.Panics != 1 {
			t.Errorf("stats %+v", st)
		}
	})
}

func TestTrustedProxies(t *testing.T) {
	addresses := make(chan string, 1)
	bubble(t, &socketio.Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}, func(t *testing.T, h *harness) {
		h.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			addresses <- s.Handshake().Address
			return nil
		})
		// The network in memory has no address, and nothing that a stranger
		// says is believed.
		h.open("X-Forwarded-For", "203.0.113.7").connect("/", "")
		if got := <-addresses; got != "memory" && got != "pipe" {
			t.Errorf("address %q", got)
		}
	})
}

// TestConfigureServer: the head of a request may have so many bytes and take so long,
// and no more; what is set already stays.
func TestConfigureServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := memnet.New()
		hs := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})}
		socketio.ConfigureServer(hs)
		go hs.Serve(network)
		defer func() { hs.Close(); synctest.Wait() }()
		answer := func(head string) string {
			c, err := network.Dial()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			go io.WriteString(c, head)
			line, _ := bufio.NewReader(c).ReadString('\n')
			return strings.TrimSpace(line)
		}
		// net/http allows 4,096 bytes more, for what it reads ahead.
		const rest = "GET / HTTP/1.1\r\nHost: x\r\nX: \r\n\r\n"
		for more, want := range map[int]string{0: "HTTP/1.1 200 OK", 1: "HTTP/1.1 431 Request Header Fields Too Large"} {
			head := strings.Replace(rest, "X: ", "X: "+strings.Repeat("x", 64<<10+4096-len(rest)+more), 1)
			if got := answer(head); got != want {
				t.Errorf("%d bytes beyond the limit: %q; want %q", more, got, want)
			}
		}
		began := time.Now()
		if got := answer("GET / HTTP/1.1\r\nHost: "); got != "" || time.Since(began) != 10*time.Second {
			t.Errorf("half a head: %q after %v", got, time.Since(began))
		}
	})
	own := &http.Server{ReadHeaderTimeout: 1, MaxHeaderBytes: 2, IdleTimeout: 3}
	socketio.ConfigureServer(own)
	if own.ReadHeaderTimeout != 1 || own.MaxHeaderBytes != 2 || own.IdleTimeout != 3 {
		t.Errorf("what was set is now %v, %d, %v", own.ReadHeaderTimeout, own.MaxHeaderBytes, own.IdleTimeout)
	}
}

// TestLimitsDoc holds the table of docs/options.md to what is counted, and to the
// tests that there are.
func TestLimitsDoc(t *testing.T) {
	doc, err := os.ReadFile("docs/options.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(doc), "## When a limit is reached\n")
	table, _, _ = strings.Cut(table, "\nThe limits of the")
	rows := map[string]bool{}
	code := regexp.MustCompile("`(\\w+)`")
	for _, line := range strings.Split(table, "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.Contains(cells[1], "`") {
			continue
		}
		for _, m := range code.FindAllStringSubmatch(cells[1], -1) {
			rows[m[1]] = true
		}
		dir := "."
		for _, m := range regexp.MustCompile("([\\w/]+ )?`(Test\\w+)`").FindAllStringSubmatch(cells[3], -1) {
			if m[1] != "" {
				dir = strings.TrimSpace(m[1])
			}
			if !hasTest(t, dir, m[2]) {
				t.Errorf("%s has no %s", dir, m[2])
			}
		}
	}
	counted := map[string]bool{}
	hit := regexp.MustCompile(`(?:hit\(|limit = |limit := |return |, )"((?:Max|Once)\w+|\w+Timeout)"`)
	for _, pattern := range []string{"*.go", "engineio/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(file, "_test.go") || slices.Contains([]string{"options.go", "dial.go", "recovery.go"}, filepath.Base(file)) { // those name fields
				continue
			}
			for _, m := range hit.FindAllSubmatch(src, -1) {
				counted[string(m[1])] = true
			}
		}
	}
	for name := range counted {
		if !rows[name] {
			t.Errorf("docs/options.md: no row says what happens at %s", name)
		}
	}
	for name := range rows {
		if !counted[name] {
			t.Errorf("docs/options.md: %s is counted nowhere", name)
		}
	}
}

func hasTest(t *testing.T, dir, name string) bool {
	files, err := filepath.Glob(dir + "/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(src), "func "+name+"(") {
			return true
		}
	}
	return false
}
