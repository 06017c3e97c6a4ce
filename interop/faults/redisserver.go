package faults

import (
	"context"
	"os/exec"

	goredis "github.com/redis/go-redis/v9"
)

// A redisServer is a process of its own, set to lose nothing.
type redisServer struct {
	dir, addr string
	cmd       *exec.Cmd
}

func (r *redisServer) run() error {
	host, port := "127.0.0.1", r.addr[len("127.0.0.1:"):]
	r.cmd = exec.Command("redis-server", "--bind", host, "--port", port, "--dir", r.dir, "--save", "", "--appendonly", "yes", "--appendfsync", "always")
	if err := r.cmd.Start(); err != nil {
		return err
	}
	c := goredis.NewClient(&goredis.Options{Addr: r.addr})
	defer c.Close()
	return until("redis-server answers", func() bool { return c.Ping(context.Background()).Err() == nil })
}

func (r *redisServer) kill() error {
	if r.cmd == nil {
		return nil
	}
	err := r.cmd.Process.Kill()
	_ = r.cmd.Wait() // "signal: killed"
	r.cmd = nil
	return err
}
