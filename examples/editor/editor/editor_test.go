package editor_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/examples/editor/editor"
	"github.com/sockeye-go/socketio/examples/editor/ot"
	"github.com/sockeye-go/socketio/internal/lab"
	"github.com/sockeye-go/socketio/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func start(t *testing.T, f func(*testing.T, *lab.Lab)) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		ed := editor.New(l.Of("/"), nil)
		defer ed.Close()
		f(t, l)
	})
}

func op(doc, typ string, position int, what any, version int) map[string]any {
	o := map[string]any{"type": typ, "position": position}
	if s, ok := what.(string); ok {
		o["text"] = s
	} else {
		o["length"] = what
	}
	return map[string]any{"docId": doc, "operation": o, "clientVersion": version}
}

// TestTutorial speaks as the pages of the tutorials do: they know nothing of seq.
func TestTutorial(t *testing.T) {
	start(t, func(t *testing.T, l *lab.Lab) {
		ann, bob := l.Join("/", ""), l.Join("/", "")
		ann.Emit("join document", "plan")
		if got := ann.Take(); len(got) != 1 || !strings.HasPrefix(got[0], `["document state",{"id":"plan","content":"","version":0,"participants":[{"id":"`+ann.ID) {
			t.Fatalf("ann got %q", got)
		}
		bob.Emit("join document", "plan")
		if got := ann.Take(); len(got) != 2 || got[0] != fmt.Sprintf(`["participant joined",%q]`, bob.ID) {
			t.Errorf("ann got %q", got)
		}
		bob.Take()
		ann.Emit("operation", op("plan", "insert", 0, "hello", 0))
		bob.Want(fmt.Sprintf(`["operation",{"operation":{"type":"insert","position":0,"text":"hello"},"version":1,"author":%q}]`, ann.ID))
		ann.Want(`["operation applied",{"seq":0,"version":1}]`)
		// Both at once: bob has seen version 1, and so has ann.
		bob.Emit("operation", op("plan", "insert", 5, "!", 1))
		bob.Want(`["operation applied",{"seq":0,"version":2}]`)
		ann.Emit("operation", op("plan", "delete", 0, 1, 1))
		if got := strings.Join(bob.Take(), ""); !strings.Contains(got, `{"type":"delete","position":0,"length":1},"version":3`) {
			t.Errorf("bob got %s", got)
		}
		ann.Take()
		eve := l.Join("/", "")
		eve.Emit("join document", "plan")
		if got := strings.Join(eve.Take(), ""); !strings.Contains(got, `"content":"ello!","version":3`) {
			t.Errorf("eve got %s", got)
		}
		for _, c := range []*lab.Client{ann, bob} {
			c.Take()
		}
		eve.Emit("cursor position", map[string]any{"docId": "plan", "position": 2})
		if got := strings.Join(ann.Take(), ""); !strings.HasPrefix(got, fmt.Sprintf(`["cursor update",{"userId":%q`, eve.ID)) || !strings.Contains(got, `"position":2`) {
			t.Errorf("ann got %s", got)
		}
		eve.Want()
		eve.Cut()
		if got := strings.Join(ann.Take(), ""); !strings.HasPrefix(got, fmt.Sprintf(`["participant left",%q]`, eve.ID)) {
			t.Errorf("ann got %s", got)
		}
	})
}

func TestErrors(t *testing.T) {
	start(t, func(t *testing.T, l *lab.Lab) {
		c := l.Join("/", "")
		for _, test := range []struct {
			event string
			arg   any
			want  string
		}{
			{"operation", op("plan", "insert", 0, "x", 0), "join a document first"},
			{"cursor position", map[string]any{"docId": "plan", "position": 2}, "join a document first"},
			{"join document", "", "a document needs an id of at most 64 characters"},
			{"join document", strings.Repeat("x", 65), "a document needs an id of at most 64 characters"},
			{"join document", 7, "something is wrong with what was sent"},
			{"operation", "x", "something is wrong with what was sent"},
		} {
			c.Emit(test.event, test.arg)
			c.Want(fmt.Sprintf(`["operation error",%q]`, test.want))
		}
		c.Emit("join document", "plan")
		c.Take()
		c.Emit("operation", op("plan", "insert", 5, "x", 0))
		c.Want(`["operation error","operation is outside of the text"]`)
		c.Emit("operation", op("other", "insert", 0, "x", 0))
		c.Want(`["operation error","join a document first"]`)
	})
}

// Who is more than the history behind is told so, with the text of now.
func TestSyncRequired(t *testing.T) {
	start(t, func(t *testing.T, l *lab.Lab) {
		slow, fast := l.Join("/", ""), l.Join("/", "")
		slow.Emit("join document", "plan")
		fast.Emit("join document", "plan")
		const many = 2*ot.KeptHistory + 2
		for i := range many {
			fast.Emit("operation", op("plan", "insert", i, "x", i))
			if i%100 == 0 {
				fast.Take()
			}
		}
		fast.Take()
		slow.Take()
		slow.Emit("operation", op("plan", "insert", 0, "y", 0))
		slow.Want(fmt.Sprintf(`["sync required",{"currentVersion":%d,"content":%q}]`, many, strings.Repeat("x", many)))
		slow.Emit("operation", op("plan", "insert", 0, "y", many))
		slow.Want(fmt.Sprintf(`["operation applied",{"seq":0,"version":%d}]`, many+1))
	})
}

// A document is there after the program has ended and begun again.
func TestRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "editor.db")
	for round, want := range []string{`"content":"","version":0`, `"content":"0","version":1`, `"content":"10","version":2`} {
		store, err := editor.OpenStore(file)
		if err != nil {
			t.Fatal(err)
		}
		srv := socketio.NewServer(nil)
		ed := editor.New(srv.Of("/"), store)
		hs := httptest.NewServer(srv)
		m, err := client.New(hs.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		c := m.Socket("/")
		states, applied := make(chan string, 1), make(chan bool, 1)
		c.On("document state", func(_ context.Context, m *socketio.Message) error { states <- string(m.Raw(0)); return nil })
		c.On("operation applied", func(context.Context, *socketio.Message) error { applied <- true; return nil })
		if err := c.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := c.Emit("join document", "plan"); err != nil {
			t.Fatal(err)
		}
		if got := <-states; !strings.Contains(got, want) {
			t.Errorf("round %d: %s; want %s", round, got, want)
		}
		if err := c.Emit("operation", op("plan", "insert", 0, fmt.Sprint(round), round)); err != nil {
			t.Fatal(err)
		}
		<-applied
		m.Close()
		srv.Close()
		hs.Close()
		if err := ed.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A typist is an ot.Client on a real socket.
type typist struct {
	name   string
	socket *client.Socket
	doc    string
	number int

	mu       sync.Mutex
	moved    *sync.Cond // on mu: the version has
	c        *ot.Client
	answered chan int // seqs
	joined   chan bool
}

func dial(t testing.TB, url, doc string, number int) *typist {
	m, err := client.New(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	p := &typist{name: fmt.Sprint("typist", number), socket: m.Socket("/"), doc: doc, number: number,
		answered: make(chan int, 1024), joined: make(chan bool, 1)}
	p.moved = sync.NewCond(&p.mu)
	fail := func(err error) error {
		if err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
		return err
	}
	p.socket.On("document state", func(_ context.Context, m *socketio.Message) error {
		var state editor.State
		if err := m.Decode(&state); err != nil {
			return fail(err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.c = ot.NewClient(p.name, state.Content, state.Version)
		p.joined <- true
		return nil
	})
	p.socket.On("operation", func(_ context.Context, m *socketio.Message) error {
		var done ot.Done
		if err := m.Decode(&done); err != nil {
			return fail(err)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		defer p.moved.Broadcast()
		return fail(p.c.Receive(done))
	})
	p.socket.On("operation applied", func(_ context.Context, m *socketio.Message) error {
		var done editor.Applied
		if err := m.Decode(&done); err != nil {
			return fail(err)
		}
		p.mu.Lock()
		p.c.Answered(done.Seq, done.Version)
		p.moved.Broadcast()
		p.mu.Unlock()
		p.answered <- done.Seq
		return nil
	})
	for _, event := range []string{"operation error", "sync required"} {
		p.socket.On(event, func(_ context.Context, m *socketio.Message) error {
			return fail(fmt.Errorf("%s %s", event, m.Raw(0)))
		})
	}
	if err := p.socket.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.socket.Emit("join document", editor.Join{DocID: doc, Client: p.name}); err != nil {
		t.Fatal(err)
	}
	<-p.joined
	return p
}

// typeOne types a character or deletes one, somewhere.
func (p *typist) typeOne(t testing.TB, i int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.c.Text.Len()
	at := (i*7919 + p.number*104729) % (n + 1)
	o := ot.Op{Type: ot.Insert, Position: at, Text: string(rune('a' + (i+p.number)%26))}
	if n > 2000 || n > 0 && i%4 == 3 {
		o = ot.Op{Type: ot.Delete, Position: min(at, n-1), Length: 1}
	}
	sent, err := p.c.Edit(o)
	if err != nil {
		t.Errorf("%s: %v", p.name, err)
		return
	}
	err = p.socket.Emit("operation", editor.Operation{DocID: p.doc, Operation: sent.Op, ClientVersion: sent.Seen, Seq: sent.Seq})
	if err != nil {
		t.Error(err)
	}
}

func serve(t testing.TB) string {
	srv := socketio.NewServer(nil)
	ed := editor.New(srv.Of("/"), nil)
	hs := httptest.NewServer(srv)
	t.Cleanup(func() {
		srv.Close()
		hs.Close()
		if err := ed.Close(); err != nil {
			t.Error(err)
		}
	})
	return hs.URL
}

// TestManyOverSockets lets eight type over real connections, each several operations
// ahead of the answers, and compares what they see.
func TestManyOverSockets(t *testing.T) {
	url := serve(t)
	const each = 150
	var all []*typist
	for i := range 8 {
		all = append(all, dial(t, url, "shared", i))
	}
	var wg sync.WaitGroup
	for _, p := range all {
		wg.Go(func() {
			for i := range each {
				p.typeOne(t, i)
				if i%5 == 4 {
					for range 5 {
						<-p.answered
					}
				}
			}
		})
	}
	wg.Wait()
	// All has been done: who joins now gets the text that all must come to.
	last := dial(t, url, "shared", 99)
	want, version := last.c.Text.String(), last.c.Version()
	for _, p := range all {
		if got := p.textAt(version); got != want {
			t.Errorf("%s sees %q; want %q", p.name, got, want)
		}
	}
	if version < 8*each*3/4 {
		t.Errorf("version %d after %d edits", version, 8*each)
	}
}

// textAt waits until the typist has seen a version.
func (p *typist) textAt(version int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.c.Version() < version {
		p.moved.Wait()
	}
	return p.c.Text.String()
}
