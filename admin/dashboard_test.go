package admin_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/adapter/cluster"
	"github.com/sockeye-go/socketio/admin"
)

// A board is a server with a dashboard, and somebody who looks at it.
type board struct {
	*site
	d      *admin.Dashboard
	url    string // of the dashboard, with the slash
	cookie *http.Cookie
}

func newBoard(t *testing.T, o *admin.DashboardOptions) *board {
	t.Helper()
	return newNode(t, &socketio.Options{}, o)
}

// newNode is newBoard with options of the server.
func newNode(t *testing.T, so *socketio.Options, o *admin.DashboardOptions) *board {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	so.Logger = o.Logger
	srv := socketio.NewServer(so)
	d := admin.Handler(srv, o)
	srv.OnConnection(func(_ context.Context, s *socketio.Socket) error { return s.Join("lobby") })
	socketio.NewEventWithAck[string, string]("echo").Handle(srv, func(_ context.Context, _ *socketio.Socket, in string) (string, error) { return in, nil })
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.Handle("/ops/dashboard/", d)
	mux.Handle("/stripped/", http.StripPrefix("/stripped", d))
	mux.Handle("/bare", d)
	hs := httptest.NewServer(mux)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(func() {
		cancel()
		d.Close()
		srv.Close()
		hs.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return &board{site: &site{t, srv, hs.URL + "/socket.io/", ctx}, d: d, url: hs.URL + "/ops/dashboard/"}
}

func (b *board) request(method, name, body string, header ...string) (*http.Response, string) {
	b.t.Helper()
	req, err := http.NewRequestWithContext(b.ctx, method, b.url+name, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Sec-Fetch-Site", "same-origin") // as a browser does for the page
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	if b.cookie != nil {
		req.AddCookie(b.cookie)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return res, string(text)
}

// get decodes what is answered to a request, which must succeed.
func (b *board) get(name string, v any) {
	b.t.Helper()
	res, text := b.request("GET", name, "")
	if res.StatusCode != 200 {
		b.t.Fatalf("%s = %d %s", name, res.StatusCode, text)
	}
	if err := json.Unmarshal([]byte(text), v); err != nil {
		b.t.Fatalf("%s: %v in %s", name, err, text)
	}
}

func (b *board) post(name, body string, wantStatus int, want string) {
	b.t.Helper()
	if res, text := b.request("POST", name, body); res.StatusCode != wantStatus || !strings.Contains(text, want) {
		b.t.Errorf("%s %s = %d %s; want %d %s", name, body, res.StatusCode, text, wantStatus, want)
	}
}

// An events is a stream that is being read.
type events struct {
	t   *testing.T
	in  *bufio.Scanner
	end func()
}

func (b *board) listen(name string) *events {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.ctx)
	req, err := http.NewRequestWithContext(ctx, "GET", b.url+name, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	if b.cookie != nil {
		req.AddCookie(b.cookie)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		b.t.Fatalf("%s = %s, %s", name, res.Status, res.Header.Get("Content-Type"))
	}
	end := func() { cancel(); res.Body.Close() }
	b.t.Cleanup(end)
	in := bufio.NewScanner(res.Body)
	in.Buffer(nil, 1<<20)
	return &events{b.t, in, end}
}

// next reads until an event of this name, and decodes its data.
func (e *events) next(name string, v any) {
	e.t.Helper()
	found := false
	for e.in.Scan() {
		line := e.in.Text()
		if strings.HasPrefix(line, "event: ") {
			found = line == "event: "+name
		}
		if data, ok := strings.CutPrefix(line, "data: "); ok && found {
			if err := json.Unmarshal([]byte(data), v); err != nil {
				e.t.Fatal(err)
			}
			return
		}
	}
	e.t.Fatalf("the stream ended before %s: %v", name, e.in.Err())
}

func (e *events) ends() {
	e.t.Helper()
	for e.in.Scan() {
	}
}

// TestDashboardLogin tries the door: nothing but the page and the form without a
// login, nothing by another's cookie, by another site or by a form.
func TestDashboardLogin(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("swordfish"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	b := newBoard(t, &admin.DashboardOptions{Auth: admin.Basic("root", string(hash))})
	locked := func(when string) {
		t.Helper()
		for _, name := range []string{"stream", "tap?id=x", "find?q=x", "sockets", "rooms", "socket?id=x"} {
			if res, text := b.request("GET", name, ""); res.StatusCode != 401 {
				t.Errorf("%s: %s = %d %s; want 401", when, name, res.StatusCode, text)
			}
		}
		for _, name := range []string{"emit", "call", "join", "leave", "disconnect"} {
			b.post(name, `{"ns":"/","everybody":true,"event":"x","room":"r"}`, 401, "log in first")
		}
	}
	locked("without a cookie")
	if _, text := b.request("GET", "me", ""); text != `{"access":"none","login":true}`+"\n" {
		t.Errorf("me = %s", text)
	}
	b.post("login", `{"username":"root","password":"wrong"}`, 401, "invalid credentials")
	b.post("login", `{"username":"toor","password":"swordfish"}`, 401, "invalid credentials")
	b.post("login", `nonsense`, 400, "name and password")

	const good = `{"username":"root","password":"swordfish"}`
	for _, c := range []struct {
		status int
		header []string
	}{
		{415, []string{"Content-Type", "text/plain"}},
		{415, []string{"Content-Type", "application/x-www-form-urlencoded"}},
		{403, []string{"Sec-Fetch-Site", "cross-site"}},
		{403, []string{"Origin", "https://evil.example", "Sec-Fetch-Site", ""}},
	} {
		if res, _ := b.request("POST", "login", good, c.header...); res.StatusCode != c.status {
			t.Errorf("login with %q = %d; want %d", c.header, res.StatusCode, c.status)
		}
	}
	if res, _ := b.request("GET", "login", ""); res.StatusCode != 405 {
		t.Errorf("GET login = %d", res.StatusCode)
	}
	res, text := b.request("POST", "login", good, "X-Forwarded-Proto", "https")
	if res.StatusCode != 200 || !strings.Contains(text, `"access":"write"`) || len(res.Cookies()) != 1 {
		t.Fatalf("login = %d %s", res.StatusCode, text)
	}
	c := res.Cookies()[0]
	if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteStrictMode || c.MaxAge != 12*3600 {
		t.Errorf("cookie = %v", c)
	}
	// A cookie that was changed anywhere is none.
	for i := 0; i < len(c.Value); i += 7 {
		changed := []byte(c.Value)
		changed[i] ^= 1
		b.cookie = &http.Cookie{Name: c.Name, Value: string(changed)}
		if _, text := b.request("GET", "me", ""); !strings.Contains(text, `"none"`) {
			t.Errorf("a cookie that was changed at %d lets in: %s", i, text)
		}
	}
	b.cookie = c
	var list struct{ Total int }
	b.get("sockets", &list)
	// With the cookie, another site still cannot act.
	if res, _ := b.request("POST", "emit", `{"everybody":true,"event":"x"}`, "Origin", "https://evil.example", "Sec-Fetch-Site", ""); res.StatusCode != 403 {
		t.Errorf("emit from another site = %d", res.StatusCode)
	}
	stream := b.listen("stream")
	var history []any
	stream.next("history", &history)

	res, _ = b.request("POST", "logout", `{}`)
	if got := res.Cookies()[0]; got.MaxAge >= 0 {
		t.Errorf("logout leaves the cookie: %v", got)
	}
	locked("after the logout") // by the cookie of before
	stream.ends()

	b.cookie = nil
	for range 25 {
		res, text = b.request("POST", "login", `{"username":"root","password":"guess"}`)
	}
	if res.StatusCode != 429 {
		t.Errorf("after 25 guesses: %d %s", res.StatusCode, text)
	}
	b.post("login", good, 429, "too many attempts")
}

func TestDashboardAuthorize(t *testing.T) {
	b := newBoard(t, &admin.DashboardOptions{Authorize: func(r *http.Request) admin.Access {
		switch r.Header.Get("X-Role") {
		case "boss":
			return admin.MayWrite
		case "guest":
			return admin.MayRead
		}
		return admin.NoAccess
	}})
	for role, want := range map[string][2]int{"": {401, 401}, "guest": {200, 403}, "boss": {200, 200}} {
		if res, _ := b.request("GET", "rooms", "", "X-Role", role); res.StatusCode != want[0] {
			t.Errorf("%q reads: %d; want %d", role, res.StatusCode, want[0])
		}
		if res, _ := b.request("POST", "emit", `{"everybody":true,"event":"x"}`, "X-Role", role); res.StatusCode != want[1] {
			t.Errorf("%q emits: %d; want %d", role, res.StatusCode, want[1])
		}
	}
	b.post("login", `{"username":"a","password":"b"}`, 403, "nobody logs in here")
}

// TestDashboardMount finds the page wherever it is mounted, with its headers.
func TestDashboardMount(t *testing.T) {
	b := newBoard(t, &admin.DashboardOptions{Insecure: true})
	root := strings.TrimSuffix(b.url, "ops/dashboard/")
	for _, at := range []string{"ops/dashboard/", "stripped/"} {
		b.url = root + at
		for name, want := range map[string]string{"": "<!doctype html>", "app.js": "import", "uPlot.js": "uPlot", "uPlot.css": ".uplot", "style.css": ":root", "me": `"write"`} {
			res, text := b.request("GET", name, "")
			if res.StatusCode != 200 || !strings.Contains(text, want) || res.Header.Get("Content-Security-Policy") == "" || res.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s%s = %d, %v", at, name, res.StatusCode, res.Header)
			}
		}
	}
	b.url = root
	if res, _ := b.request("GET", "bare", ""); res.StatusCode != 302 || res.Header.Get("Location") != "./bare/" {
		t.Errorf("without its slash: %d %q", res.StatusCode, res.Header.Get("Location"))
	}
}

type sample struct {
	Point      struct{ Connections, Sockets int }
	Transports map[string]int
	Events     []struct {
		Namespace, Event  string
		TotalIn, TotalOut int64
		Handler99         float64
	}
	Namespaces []struct {
		Name           string
		Sockets, Rooms int
	}
	Nodes []struct {
		ID   string
		Self bool
	}
	Draining bool
}

func TestDashboardStream(t *testing.T) {
	b := newBoard(t, &admin.DashboardOptions{Insecure: true, ServerID: "me", MaxEvents: 2, MaxViewers: 2})
	user, _ := b.user()
	for i, name := range []string{"echo", "echo", "made-up-1", "made-up-2", "made-up-3"} {
		user.send(fmt.Sprintf(`42%d[%q,"x"]`, i, name))
	}
	user.want("430")
	user.want("431")
	stream := b.listen("stream")
	var history []any
	stream.next("history", &history)
	for {
		var s sample
		stream.next("sample", &s)
		if s.Point.Connections != 1 || s.Point.Sockets != 1 || s.Transports["websocket"] != 1 || len(s.Nodes) != 1 || s.Nodes[0].ID != "me" || !s.Nodes[0].Self {
			t.Fatalf("sample = %+v", s)
		}
		if len(s.Namespaces) != 1 || s.Namespaces[0].Sockets != 1 || s.Namespaces[0].Rooms != 1 {
			t.Errorf("namespaces = %+v", s.Namespaces)
		}
		in := map[string]int64{}
		for _, e := range s.Events {
			in[e.Namespace+" "+e.Event] = e.TotalIn
		}
		if in["/ echo"] == 2 && in["/ made-up-1"] == 1 && in[" other"] == 2 && len(in) == 3 {
			break
		}
		if len(in) > 3 {
			t.Fatalf("events = %v; want two names and the rest", in)
		}
	}
	b.listen("stream")
	if res, text := b.request("GET", "stream", ""); res.StatusCode != 503 {
		t.Errorf("a third viewer: %d %s", res.StatusCode, text)
	}
	b.d.Close()
	stream.ends() // those who look are let go
}

type socketsFound struct {
	Sockets []struct{ ID, Namespace, User string }
	Rooms   []struct {
		Room    string
		Sockets int
	}
	Looked   int
	Complete bool
	Total    int
	More     bool
}

var userName = socketio.NewLocalKey[string]()

func TestDashboardFind(t *testing.T) {
	b := newBoard(t, &admin.DashboardOptions{Insecure: true, User: func(s *socketio.Socket) string {
		name, _ := userName.Get(s)
		if name == "panic" {
			panic("of the program")
		}
		return name
	}})
	ids := map[string]string{}
	for i := range 60 {
		_, id := b.user()
		name := fmt.Sprintf("User-%d", i)
		ids[name] = id
		s, ok := b.srv.Socket(id)
		if !ok {
			t.Fatal("no socket")
		}
		userName.Set(s, name)
		if i < 3 {
			if err := s.Join("auth:user:zoe", "Big Room"); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, id := b.user()
	s, _ := b.srv.Socket(id)
	userName.Set(s, "panic")
	for _, c := range []struct {
		q              string
		sockets, rooms int
	}{
		{ids["User-7"], 1, 0}, {ids["User-7"][:10], 1, 0}, {"user-59", 1, 0}, {"uSeR-", 50, 0}, {"zoe", 3, 0},
		{"big r", 0, 1}, {"Big Room", 0, 1}, {"nobody at all", 0, 0}, {"127.0.0.1", 50, 0},
	} {
		var f socketsFound
		b.get("find?q="+strings.ReplaceAll(c.q, " ", "+"), &f)
		if len(f.Sockets) != c.sockets || len(f.Rooms) != c.rooms || f.Complete != (c.sockets < 50) {
			t.Errorf("find %q = %d sockets, %d rooms, complete %v; want %d and %d", c.q, len(f.Sockets), len(f.Rooms), f.Complete, c.sockets, c.rooms)
		}
	}
	var page socketsFound
	b.get("sockets?ns=/&offset=50", &page)
	if len(page.Sockets) != 11 || page.More || page.Total != 61 {
		t.Errorf("second page: %d of %d, more %v", len(page.Sockets), page.Total, page.More)
	}
	b.get("sockets?room=Big+Room", &page)
	if len(page.Sockets) != 3 || page.Total != 3 {
		t.Errorf("room: %d of %d", len(page.Sockets), page.Total)
	}
	b.get("rooms", &page)
	if len(page.Rooms) != 3 || page.Rooms[0].Room != "lobby" || page.Rooms[0].Sockets != 61 {
		t.Errorf("rooms = %+v", page.Rooms)
	}
	for _, bad := range []string{"find?q=", "sockets?offset=-1", "sockets?offset=1000000", "sockets?ns=/none", "socket?id=none", "tap?id=none"} {
		if res, text := b.request("GET", bad, ""); res.StatusCode != 400 && res.StatusCode != 404 || !strings.Contains(text, `"error"`) {
			t.Errorf("%s = %d %s", bad, res.StatusCode, text)
		}
	}
	if n := len(b.srv.Namespaces()); n != 1 {
		t.Errorf("%d namespaces: asking has made some", n)
	}
}

// TestDashboardSocket looks for secrets in what is shown of a socket.
func TestDashboardSocket(t *testing.T) {
	b := newBoard(t, &admin.DashboardOptions{Insecure: true})
	p := b.open()
	p.send(`40{"token":"HUSH-1","user":{"name":"HUSH-2"},"n":5}`)
	id := strings.Trim(p.want(`40{"sid":`), `"}`)
	s, ok := b.srv.Socket(id)
	if !ok {
		t.Fatal("no socket")
	}
	socketio.NewKey[map[string]any]("profile").Set(s, map[string]any{"name": "Ada", "apiKey": "HUSH-3", "note": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.HUSH4HUSH4HUSH4"})
	_, text := b.request("GET", "socket?ns=/&id="+id, "")
	if strings.Contains(text, "HUSH") || strings.Contains(text, `"n":5`) || !strings.Contains(text, `"Ada"`) || !strings.Contains(text, `"roomNames":["lobby"]`) || !strings.Contains(text, `"address":"127.0.0.1`) {
		t.Errorf("socket = %s", text)
	}

	tap := b.listen("tap?ns=/&id=" + id)
	var begun struct{ Rate int }
	tap.next("tapping", &begun)
	p.send(`427["echo","hello",{"password":"HUSH-5"}]`)
	type packet struct {
		Out   bool
		Type  string
		Event string
		ID    *int64
		Args  string
	}
	var in, out packet
	tap.next("packet", &in)
	tap.next("packet", &out)
	if in.Out || in.Event != "echo" || *in.ID != 7 || in.Args != `"hello", {"password":"•••"}` {
		t.Errorf("in = %+v", in)
	}
	if !out.Out || out.Type != "ACK" || *out.ID != 7 || out.Args != `"hello"` {
		t.Errorf("out = %+v", out)
	}
	// The tap ends with the socket, and says why.
	p.send("41")
	var left struct{ Reason string }
	tap.next("left", &left)
	if left.Reason != "client namespace disconnect" {
		t.Errorf("left = %+v", left)
	}
	tap.ends()
}

func TestDashboardActions(t *testing.T) {
	b := newBoard(t, &admin.DashboardOptions{Insecure: true})
	user, id := b.user()
	_, otherID := b.user()
	b.post("emit", `{"ns":"/","to":"`+id+`","event":"hello","args":[1,{"a":null}]}`, 200, `{"done":true}`)
	if got := user.want(`42["hello"`); got != `,1,{"a":null}]` {
		t.Errorf("emitted %s", got)
	}
	answered := make(chan string)
	go func() {
		res, text := b.request("POST", "call", `{"to":"`+id+`","event":"ask","args":["?"]}`)
		answered <- fmt.Sprint(res.StatusCode, text)
	}()
	if got := user.want(`42`); !strings.HasSuffix(got, `["ask","?"]`) {
		t.Errorf("called %s", got)
	}
	user.send(`430["fine",{"token":"HUSH"}]`)
	if got := <-answered; !strings.HasPrefix(got, `200{"answers":[["fine",{"token":"•••"}]],"took":`) {
		t.Errorf("call = %s", got)
	}
	b.post("join", `{"to":"`+id+`","room":"vip"}`, 200, "done")
	s, _ := b.srv.Socket(id)
	if !s.InRoom("vip") {
		t.Error("it did not join")
	}
	b.post("leave", `{"to":"vip","room":"vip"}`, 200, "done")
	if s.InRoom("vip") {
		t.Error("it did not leave")
	}
	b.post("emit", `{"everybody":true,"event":"all"}`, 200, "done")
	user.want(`42["all"]`)
	for body, want := range map[string]string{
		`{"event":"x"}`: "to whom", `{"everybody":true}`: "needs a name", `{"everybody":true,"event":"disconnect"}`: "reserved",
		`{"ns":"/none","everybody":true,"event":"x"}`: "no namespace", `{`: "no JSON",
	} {
		if res, text := b.request("POST", "emit", body); res.StatusCode < 400 || !strings.Contains(text, want) {
			t.Errorf("emit %s = %d %s; want %s", body, res.StatusCode, text, want)
		}
	}
	b.post("emit", `{"everybody":true,"event":"x","args":["`+strings.Repeat("x", 300<<10)+`"]}`, 400, "too large")
	b.post("disconnect", `{"to":"`+id+`"}`, 200, "done")
	user.want("41")
	if _, ok := b.srv.Socket(otherID); !ok {
		t.Error("somebody else was disconnected")
	}
}

func TestDashboardReadOnly(t *testing.T) {
	b := newBoard(t, &admin.DashboardOptions{Insecure: true, ReadOnly: true})
	user, id := b.user()
	if _, text := b.request("GET", "me", ""); !strings.Contains(text, `"access":"read"`) {
		t.Errorf("me = %s", text)
	}
	for _, name := range []string{"emit", "call", "join", "leave", "disconnect"} {
		b.post(name, `{"to":"`+id+`","event":"x","room":"r"}`, 403, "read-only")
	}
	user.send(`421["echo","still here"]`)
	user.want(`431["still here"]`)
	b.listen("tap?id=" + id) // to look is allowed
}

func TestDashboardOptions(t *testing.T) {
	srv := socketio.NewServer(nil)
	defer srv.Close()
	for want, o := range map[string]*admin.DashboardOptions{
		"Insecure to let":  nil,
		"set Auth":         {ReadOnly: true},
		"in spite of Auth": {Insecure: true, Auth: admin.NoAuth},
		"Key":              {Insecure: true, Key: []byte("short")},
		"SessionTime":      {Insecure: true, SessionTime: -1},
		"MaxEvents":        {Insecure: true, MaxEvents: -1},
		"MaxViewers":       {Insecure: true, MaxViewers: -1},
	} {
		func() {
			defer func() {
				if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), want) {
					t.Errorf("%s: panic %v", want, v)
				}
			}()
			admin.Handler(srv, o)
		}()
	}
}

// TestDashboardCluster looks through one node at a socket of the other.
func TestDashboardCluster(t *testing.T) {
	hub := cluster.NewHub()
	node := func(id string) *board {
		return newNode(t, &socketio.Options{Adapter: cluster.NewFactory(hub, nil)}, &admin.DashboardOptions{Insecure: true, ServerID: id})
	}
	near, far := node("near"), node("far")
	user, id := far.user()

	stream := near.listen("stream")
	for {
		var s sample
		stream.next("sample", &s)
		if len(s.Nodes) == 2 {
			if s.Nodes[0].ID != "near" || !s.Nodes[0].Self || s.Nodes[1].ID != "far" || s.Nodes[1].Self {
				t.Errorf("nodes = %+v", s.Nodes)
			}
			break
		}
	}
	var f struct {
		Sockets []struct{ ID, Node string }
		Missing string
	}
	near.get("find?q="+id, &f)
	if len(f.Sockets) != 1 || f.Sockets[0].ID != id || f.Sockets[0].Node != "far" || f.Missing != "" {
		t.Errorf("found %+v", f)
	}
	var detail struct{ ID, Node, Address string }
	near.get("socket?ns=/&id="+id, &detail)
	if detail.ID != id || detail.Node == "" || detail.Address == "" {
		t.Errorf("socket = %+v", detail)
	}
	near.post("emit", `{"to":"`+id+`","event":"hello"}`, 200, "done")
	user.want(`42["hello"]`)

	tap := near.listen("tap?ns=/&id=" + id)
	var begun struct{ Rate int }
	tap.next("tapping", &begun)
	user.send(`427["echo","hi"]`)
	var in, out struct {
		Out  bool
		Args string
	}
	tap.next("packet", &in)
	tap.next("packet", &out)
	if in.Out || in.Args != `"hi"` || !out.Out || out.Args != `"hi"` {
		t.Errorf("in %+v, out %+v", in, out)
	}
	near.post("disconnect", `{"to":"`+id+`"}`, 200, "done")
	user.want("41")
	var left struct{ Reason string }
	tap.next("left", &left)
	if left.Reason != "server namespace disconnect" {
		t.Errorf("left = %+v", left)
	}
	if res, text := near.request("GET", "tap?ns=/&id=nobody", ""); res.StatusCode != 404 {
		t.Errorf("a tap of nobody: %d %s", res.StatusCode, text)
	}
}

// TestDashboardSharedKey: nodes behind one address share their key, and whoever
// logged in at one is known to the other.
func TestDashboardSharedKey(t *testing.T) {
	key := bytes.Repeat([]byte("k"), 32)
	anybody := func(context.Context, string, string) bool { return true }
	one := newBoard(t, &admin.DashboardOptions{Auth: anybody, Key: key})
	two := newBoard(t, &admin.DashboardOptions{Auth: anybody, Key: key})
	three := newBoard(t, &admin.DashboardOptions{Auth: anybody})
	res, _ := one.request("POST", "login", `{}`)
	two.cookie, three.cookie = res.Cookies()[0], res.Cookies()[0]
	if _, text := two.request("GET", "me", ""); !strings.Contains(text, "write") {
		t.Errorf("the other node says %s", text)
	}
	if _, text := three.request("GET", "me", ""); !strings.Contains(text, "none") {
		t.Errorf("a node with another key says %s", text)
	}
}
