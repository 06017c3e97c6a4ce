package nats_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/adaptertest"
	"github.com/sockeye-go/socketio/adapter/cluster"
	"github.com/sockeye-go/socketio/adapter/nats"
)

// A process is a nats-server of its own, which can be killed and started again.
type process struct {
	t    *testing.T
	port string
	dir  string
	cmd  *exec.Cmd
}

func startProcess(t *testing.T, dir string) *process {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	p := &process{t: t, port: port, dir: dir}
	p.start()
	t.Cleanup(p.kill)
	return p
}

func (p *process) start() {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), "TEST_NATS_PORT="+p.port, "TEST_NATS_DIR="+p.dir)
	p.cmd.Stderr = os.Stderr
	if _, err := p.cmd.StdinPipe(); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.until("nats-server answers", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+p.port)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

// kill is kill -9.
func (p *process) kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

func (p *process) until(what string, f func() bool) {
	p.t.Helper()
	timeout := time.After(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !f() {
		select {
		case <-tick.C:
		case <-timeout:
			p.t.Fatalf("timeout: not so: %s", what)
		}
	}
}

func (p *process) nodes(hosts []*adaptertest.Host, o *nats.Options) (as []adapter.Adapter) {
	p.t.Helper()
	for _, h := range hosts {
		conn, err := natsgo.Connect("nats://127.0.0.1:"+p.port, natsgo.MaxReconnects(-1), natsgo.ReconnectWait(50*time.Millisecond))
		if err != nil {
			p.t.Fatal(err)
		}
		p.t.Cleanup(conn.Close)
		a, err := nats.New(conn, o)(h)
		if err != nil {
			p.t.Fatal(err)
		}
		p.t.Cleanup(func() { a.Close() })
		as = append(as, a)
	}
	for _, a := range as {
		p.until("all nodes are known", func() bool { n, err := a.ServerCount(p.t.Context()); return err == nil && n == len(hosts) })
	}
	return as
}

// TestKilled kills a nats-server that is a process of its own: local delivery goes on,
// callers are told, and all is well again when it is back.
func TestKilled(t *testing.T) {
	p := startProcess(t, "")
	as := p.nodes(adaptertest.NewHosts(2), nil)
	a, b := adaptertest.NewSocket(as[0], "a", "room"), adaptertest.NewSocket(as[1], "b", "room")
	arrives := func(event string) {
		t.Helper()
		p.until("an event arrives on the other node", func() bool {
			// What is emitted before the others have their connections again is lost.
			_ = as[0].Broadcast(adapter.Target{Rooms: []string{"room"}}, packet(event))
			return slices.Contains(b.Got(), event)
		})
		a.Got()
	}
	arrives("before")
	p.kill()
	p.until("both nodes are degraded", func() bool { return as[0].Health() != nil && as[1].Health() != nil })
	p.until("callers are told", func() bool {
		a.Got()
		err := as[0].Broadcast(adapter.Target{}, packet("local"))
		if got := strings.Join(a.Got(), " "); got != "local" {
			t.Errorf("the socket of this node got %q; want local", got)
		}
		_, degraded := errors.AsType[*cluster.DegradedError](err)
		return degraded
	})
	b.Got()
	adaptertest.NewSocket(as[1], "c", "new room") // subscribed when NATS is back
	p.start()
	p.until("both nodes are well", func() bool { return as[0].Health() == nil && as[1].Health() == nil })
	arrives("after")
	p.until("the other node answers", func() bool {
		infos, err := as[0].Fetch(t.Context(), adapter.Target{Rooms: []string{"new room"}})
		return err == nil && len(infos) == 1
	})
}

// TestJetStreamKilled kills one with JetStream on files, while a node emits: what was
// confirmed is there once when it is back, for who was there and for who was away.
func TestJetStreamKilled(t *testing.T) {
	p := startProcess(t, t.TempDir())
	as := p.nodes(adaptertest.NewRecoveringHosts(2), &nats.Options{JetStream: &nats.JetStream{}})
	flush := func() {
		t.Helper()
		for _, a := range as {
			p.until("the log confirms", func() bool { return a.(adapter.Flusher).Flush(t.Context()) == nil })
			p.until("all is read", func() bool { return a.(*cluster.Ordered).CatchUp(t.Context()) == nil })
		}
	}
	adaptertest.SettleBy(t, flush)
	here, away := adaptertest.NewClient(t, as[1], "x"), adaptertest.NewClient(t, as[0], "x")
	flush()
	away.Cut()
	var confirmed []string
	emit := func(n int) {
		t.Helper()
		for range n {
			event := fmt.Sprint(len(confirmed))
			if err := as[0].Broadcast(adapter.Target{}, adaptertest.Kept(event)); err != nil {
				t.Fatal(err)
			}
			confirmed = append(confirmed, event)
		}
	}
	emit(200)
	flush()
	p.kill()
	p.until("both nodes are degraded", func() bool { return as[0].Health() != nil && as[1].Health() != nil })
	p.start()
	p.until("both nodes are well", func() bool { return as[0].Health() == nil && as[1].Health() == nil })
	emit(200)
	want := strings.Join(confirmed, " ")
	here.Want(t, want)
	away.Back(t, as[1])
	away.Want(t, want)
}
