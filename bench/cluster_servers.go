//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	natsserver "github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	goredis "github.com/redis/go-redis/v9"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/adapter/nats"
	"github.com/sockeye-go/socketio/adapter/postgres"
	"github.com/sockeye-go/socketio/adapter/redis"
	"github.com/sockeye-go/socketio/internal/pgserver"
)

// clusterOptions are those of a node on an adapter; nil if it is on none.
func clusterOptions(adapter, broker string) (o *socketio.Options, end func(), err error) {
	o = &socketio.Options{Logger: slog.New(slog.DiscardHandler)}
	end = func() {}
	switch adapter {
	case "":
		return nil, end, nil
	case "memory":
	case "redis", "redis-sharded", "redis-interest", "redis-streams":
		ro, err := goredis.ParseURL(broker)
		if err != nil {
			return nil, nil, err
		}
		client := goredis.NewClient(ro)
		end = func() { client.Close() }
		switch adapter {
		case "redis":
			o.Adapter = redis.New(client, nil)
		case "redis-sharded":
			o.Adapter = redis.NewSharded(client, nil)
		case "redis-interest":
			o.Adapter = redis.NewInterest(client, nil)
		default:
			o.Adapter = redis.NewStreams(client, nil)
		}
	case "nats", "nats-jetstream":
		conn, err := natsgo.Connect(broker, natsgo.MaxReconnects(-1))
		if err != nil {
			return nil, nil, err
		}
		end = conn.Close
		no := &nats.Options{}
		if adapter != "nats" {
			no.JetStream = &nats.JetStream{}
		}
		o.Adapter = nats.New(conn, no)
	case "postgres", "postgres-log":
		pool, err := pgxpool.New(context.Background(), broker)
		if err != nil {
			return nil, nil, err
		}
		end = pool.Close
		if o.Adapter = postgres.New(pool, nil); adapter != "postgres" {
			o.Adapter = postgres.NewLog(pool, nil)
		}
	default:
		err = fmt.Errorf("no adapter %q", adapter)
	}
	if os.Getenv("BENCH_RECOVERY") != "" {
		o.Recovery = &socketio.Recovery{}
	}
	return o, end, err
}

// A broker is a process that carries messages between nodes.
type broker struct {
	url  string
	pids func() []int
	stop func()
}

// startBroker starts what an adapter needs.
func startBroker(adapter string) (*broker, error) {
	switch {
	case adapter == "memory":
		return &broker{pids: func() []int { return nil }, stop: func() {}}, nil
	case strings.HasPrefix(adapter, "redis"):
		return startRedis()
	case strings.HasPrefix(adapter, "nats"):
		return startChild("nats-server")
	}
	s, err := pgserver.Start()
	if err != nil {
		return nil, err
	}
	return &broker{url: s.URL("postgres"), pids: s.PIDs, stop: s.Stop}, nil
}

func startRedis() (*broker, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	_ = l.Close()
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	b := &broker{url: "redis://" + addr, pids: func() []int { return []int{cmd.Process.Pid} }, stop: func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		nc, err := net.Dial("tcp", addr)
		if err == nil {
			_ = nc.Close()
			return b, nil
		}
		if time.Now().After(deadline) {
			b.stop()
			return nil, fmt.Errorf("redis-server: %w", err)
		}
	}
}

// startChild runs this program as another server, which prints its address.
func startChild(what string) (*broker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), "BENCH_SERVE="+what, "BENCH_DIR="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	b := &broker{url: strings.TrimSpace(line), pids: func() []int { return []int{cmd.Process.Pid} }, stop: func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	}}
	if err != nil {
		b.stop()
		return nil, fmt.Errorf("%s did not start: %w", what, err)
	}
	return b, nil
}

// serveNATS is a nats-server until the process is killed.
func serveNATS() error {
	dir := os.Getenv("BENCH_DIR")
	s, err := natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1", Port: natsserver.RANDOM_PORT, NoSigs: true, NoLog: true, JetStream: true, StoreDir: dir})
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		return fmt.Errorf("nats-server is not ready")
	}
	fmt.Println(s.ClientURL())
	s.WaitForShutdown()
	return nil
}

// A member is a server process of a cluster.
type member struct {
	cmd  *exec.Cmd
	addr string
}

// startMember starts a server, "sockeye" or "node", on an adapter.
func startMember(server, adapter, url string, env ...string) (*member, error) {
	args := []string{"node", "node/server.js"}
	if server != "node" {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		args = []string{self}
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "BENCH_SERVE=sockeye", "BENCH_ADAPTER="+adapter, "BENCH_BROKER="+url)
	cmd.Env = append(cmd.Env, env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	m := &member{cmd: cmd}
	in := bufio.NewReader(out)
	port, err := in.ReadString('\n')
	if err != nil {
		m.kill()
		return nil, fmt.Errorf("%s on %s did not start: %w", server, adapter, err)
	}
	go func() { _, _ = io.Copy(io.Discard, in) }()
	m.addr = "127.0.0.1:" + strings.TrimSpace(port)
	return m, nil
}

func (m *member) kill() {
	_ = m.cmd.Process.Kill()
	_ = m.cmd.Wait()
}

// cpuOf is how long the threads of processes were on a core so far.
func cpuOf(pids []int) time.Duration {
	ran, _ := scheduled(pids)
	return ran
}

// scheduled is how long the threads of processes were on a core so far, and how
// long they waited for one that others had.
func scheduled(pids []int) (ran, waited time.Duration) {
	for _, pid := range pids {
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		for _, task := range tasks {
			b, err := os.ReadFile(task)
			if err != nil {
				continue // the thread has just ended
			}
			var r, w time.Duration
			_, _ = fmt.Sscan(string(b), (*int64)(&r), (*int64)(&w))
			ran, waited = ran+r, waited+w
		}
	}
	return ran, waited
}
