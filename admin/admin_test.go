package admin_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/admin"
	"github.com/sockeye-go/socketio/internal/rawclient"
)

// A site is a server that can be looked at.
type site struct {
	t    *testing.T
	srv  *socketio.Server
	base string
	ctx  context.Context
}

func newSite(t *testing.T, o *admin.Options) *site {
	t.Helper()
	srv := socketio.NewServer(&socketio.Options{Logger: slog.New(slog.DiscardHandler)})
	a := admin.Instrument(srv, o)
	srv.OnAny(func(_ context.Context, s *socketio.Socket, m *socketio.Message) error {
		if m.Event() == "echo" {
			values, _ := m.Args()
			return s.Emit("echoed", values...)
		}
		return nil
	})
	hs := httptest.NewServer(srv)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(func() {
		cancel()
		a.Close()
		srv.Close()
		hs.Close()
	})
	return &site{t, srv, hs.URL + "/socket.io/", ctx}
}

// A peer is a client of the site.
type peer struct {
	*site
	ws *rawclient.WebSocket
}

func (s *site) open() *peer {
	s.t.Helper()
	c, err := rawclient.DialWebSocket(s.ctx, s.base)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(c.Close)
	return &peer{s, c}
}

func (p *peer) send(packet string) {
	p.t.Helper()
	if err := p.ws.Send(p.ctx, packet); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) sendBinary(data []byte) {
	p.t.Helper()
	if err := p.ws.SendBinary(p.ctx, data); err != nil {
		p.t.Fatal(err)
	}
}

// want reads until a packet begins with prefix, and returns what follows.
func (p *peer) want(prefix string) string {
	p.t.Helper()
	packet, err := p.ws.Expect(p.ctx, prefix)
	if err != nil {
		p.t.Fatal(err)
	}
	return packet[len(prefix):]
}

// user joins "/" and returns the id of its socket.
func (s *site) user() (*peer, string) {
	p := s.open()
	p.send("40")
	return p, strings.Trim(p.want(`40{"sid":`), `"}`)
}

// page logs in without a password.
func (s *site) page() *peer {
	p := s.open()
	p.send("40/admin,")
	p.want(`40/admin,`)
	return p
}

func TestLogin(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("swordfish"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, &admin.Options{Auth: admin.Basic("root", string(hash))})
	for _, auth := range []string{
		``, `{}`, `{"username":"root"}`, `{"username":"root","password":"no"}`,
		`{"username":"toor","password":"swordfish"}`, `{"sessionId":"0123456789abcdef"}`, `{"sessionId":7}`,
	} {
		p := s.open()
		p.send("40/admin," + auth)
		if got, want := p.want("44/admin,"), `{"message":"invalid credentials"}`; got != want {
			t.Errorf("%s: %s; want %s", auth, got, want)
		}
	}

	p := s.open()
	p.send(`40/admin,{"username":"root","password":"swordfish"}`)
	session := strings.Trim(p.want(`42/admin,["session",`), `"]`)
	p.want(`40/admin,`)
	again := s.open()
	again.send(fmt.Sprintf(`40/admin,{"sessionId":%q}`, session))
	again.want(`40/admin,`)
	again.want(`42/admin,["config",`)
}

func TestFeatures(t *testing.T) {
	for _, c := range []struct {
		options admin.Options
		users   int
		want    string
	}{
		{admin.Options{}, 1, `EMIT JOIN LEAVE DISCONNECT MJOIN MLEAVE MDISCONNECT AGGREGATED_EVENTS ALL_EVENTS`},
		{admin.Options{ReadOnly: true}, 1, `AGGREGATED_EVENTS ALL_EVENTS`},
		{admin.Options{ReadOnly: true, MaxSockets: 2}, 2, `AGGREGATED_EVENTS`}, // with the page itself there are three
	} {
		c.options.Auth = admin.NoAuth
		s := newSite(t, &c.options)
		for range c.users {
			s.user()
		}
		var config struct{ SupportedFeatures []string }
		got := s.page().want(`42/admin,["config",`)
		if err := json.Unmarshal([]byte(strings.TrimSuffix(got, "]")), &config); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(config.SupportedFeatures, " "); got != c.want {
			t.Errorf("features = %s; want %s", got, c.want)
		}
	}
}

func TestStats(t *testing.T) {
	s := newSite(t, &admin.Options{Auth: admin.NoAuth, ServerID: "me"})
	user, _ := s.user()
	if _, err := rawclient.OpenPolling(s.ctx, s.base); err != nil {
		t.Fatal(err)
	}
	type stats struct {
		ServerID            string
		ClientsCount        int
		PollingClientsCount int
		AggregatedEvents    []struct {
			Type, SubType string
			Count         int
		}
		Namespaces []struct {
			Name         string
			SocketsCount int
		}
	}
	page := s.page()
	next := func() (st stats) {
		got := page.want(`42/admin,["server_stats",`)
		if err := json.Unmarshal([]byte(strings.TrimSuffix(got, "]")), &st); err != nil {
			t.Fatal(err)
		}
		return st
	}
	st := next()
	if st.ServerID != "me" || st.ClientsCount != 3 || st.PollingClientsCount != 1 ||
		fmt.Sprint(st.Namespaces) != "[{/ 1} {/admin 1}]" {
		t.Errorf("server_stats = %+v", st)
	}
	user.send(`42["echo","x"]`)
	user.want(`42["echoed"`)
	user.send("1")
	for {
		seen := map[string]int{}
		for _, e := range next().AggregatedEvents {
			seen[strings.TrimSpace(e.Type+" "+e.SubType)] = e.Count
		}
		if seen["rawDisconnection transport close"] == 0 {
			continue // the end may be in the report after the next
		}
		// What this page is told is counted too, as in the original.
		if seen["packetsIn"] != 1 || seen["packetsOut"] < 1 || seen["bytesIn"] == 0 || seen["bytesOut"] == 0 {
			t.Errorf("aggregated = %v", seen)
		}
		return
	}
}

func TestSocketsAreShown(t *testing.T) {
	s := newSite(t, &admin.Options{Auth: admin.NoAuth})
	_, before := s.user()
	page := s.page()
	all := page.want(`42/admin,["all_sockets",`)
	if !strings.Contains(all, before) || strings.Contains(all, `"auth"`) || !strings.Contains(all, `"nsp":"/admin"`) {
		t.Errorf("all_sockets = %s", all)
	}

	user, id := s.user()
	// The first user may be late: whoever has its CONNECT may still be on the way
	// through the hooks.
	if got := page.want(`42/admin,["socket_connected",{"id":"` + id + `"`); !strings.Contains(got, `"transport":"websocket"`) {
		t.Errorf("socket_connected = %s", got)
	}
	user.send(`42["echo","x"]`)
	page.want(`42/admin,["event_received","/","` + id + `",["echo","x"],"20`)
	page.want(`42/admin,["event_sent","/","` + id + `",["echoed","x"],"20`)
	user.send(`451-["echo",{"b":{"_placeholder":true,"num":0}}]`)
	user.sendBinary([]byte{1, 2, 3})
	page.want(`42/admin,["event_received","/","` + id + `",["echo",{"b":"(3 bytes)"}]`)
	user.send(`42["echo","` + strings.Repeat("x", 5000) + `"]`)
	page.want(`42/admin,["event_received","/","` + id + `",["echo","(5011 bytes)"]`)

	sock, ok := s.srv.Socket(id)
	if !ok {
		t.Fatal("no socket")
	}
	if err := sock.Join("lobby"); err != nil {
		t.Fatal(err)
	}
	page.want(`42/admin,["room_joined","/","lobby","` + id + `"`)
	sock.Leave("lobby")
	page.want(`42/admin,["room_left","/","lobby","` + id + `"`)
	socketio.NewKey[string]("name").Set(sock, "ann")
	if got := page.want(`42/admin,["socket_updated",`); !strings.Contains(got, `"data":{"name":"ann"}`) || strings.Contains(got, "_admin") {
		t.Errorf("socket_updated = %s", got)
	}
	user.send("41")
	page.want(`42/admin,["socket_disconnected","/","` + id + `","client namespace disconnect"`)
}

func TestBudget(t *testing.T) {
	s := newSite(t, &admin.Options{Auth: admin.NoAuth, MaxEvents: 3})
	user, id := s.user()
	page := s.page()
	page.want(`42/admin,["all_sockets"`)
	for range 50 {
		user.send(`42["note"]`)
	}
	user.send(`42["echo"]`)
	user.want(`42["echoed"`)
	user.send("41")
	shown := 0
	for {
		got := page.want(`42/admin,["`)
		if strings.HasPrefix(got, "event_received") {
			shown++
		}
		if strings.HasPrefix(got, `socket_disconnected","/","`+id) {
			break
		}
	}
	// The fifty may fall into two seconds.
	if shown == 0 || shown > 6 {
		t.Errorf("%d of 51 events were shown; want 3 a second", shown)
	}
}

func TestCommands(t *testing.T) {
	s := newSite(t, &admin.Options{Auth: admin.NoAuth})
	user, id := s.user()
	page := s.page()
	page.send(`42/admin,["join","/","lobby","` + id + `"]`)
	page.want(`42/admin,["room_joined","/","lobby","` + id + `"`)
	page.send(`42/admin,["emit","/","lobby","news",1,{"two":2}]`)
	user.want(`42["news",1,{"two":2}]`)
	page.send(`42/admin,["emit","/",null,"all"]`)
	user.want(`42["all"]`)
	page.send(`42/admin,["leave","/","lobby"]`)
	page.want(`42/admin,["room_left","/","lobby","` + id + `"`)

	// What makes no sense does nothing, and makes no namespaces.
	for _, nonsense := range []string{`["join"]`, `["emit","/none",null,"x"]`, `["emit","/",null]`, `["_disconnect",7,{},[]]`, `["emit","/",null,"disconnect"]`} {
		page.send(`42/admin,` + nonsense)
	}
	page.send(`42/admin,["_disconnect","/",false,"` + id + `"]`)
	user.want("41")
	if n := len(s.srv.Namespaces()); n != 2 {
		t.Errorf("%d namespaces; want 2", n)
	}
}

func TestReadOnly(t *testing.T) {
	s := newSite(t, &admin.Options{Auth: admin.NoAuth, ReadOnly: true})
	user, id := s.user()
	page := s.page()
	page.send(`42/admin,["_disconnect","/",true,"` + id + `"]`)
	page.send(`42/admin,["join","/","lobby"]`)
	user.send(`42["echo","still here"]`)
	user.want(`42["echoed","still here"]`)
	if sock, ok := s.srv.Socket(id); !ok || sock.InRoom("lobby") {
		t.Error("a page that may only read has changed something")
	}
}

func TestOptions(t *testing.T) {
	for name, make := range map[string]func(){
		"no Auth":    func() { admin.Instrument(socketio.NewServer(nil), nil) },
		"no hash":    func() { admin.Basic("root", "swordfish") },
		"MaxSockets": func() { admin.Instrument(socketio.NewServer(nil), &admin.Options{Auth: admin.NoAuth, MaxSockets: -1}) },
		"MaxEvents":  func() { admin.Instrument(socketio.NewServer(nil), &admin.Options{Auth: admin.NoAuth, MaxEvents: -1}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			make()
		}()
	}
	// The hash of PHP and htpasswd, at which the official one trips.
	admin.Basic("root", "$2y$10$aaaaaaaaaaaaaaaaaaaaaOXQ1bUy0pRk7gE8YGk3hB5qFfH1cH1cG")
}
