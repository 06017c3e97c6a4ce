//go:build linux

package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A process is a server under measurement, on the first core.
type process struct {
	cmd  *exec.Cmd
	addr string
	out  *bufio.Reader
	// profiles says that the server writes profiles when it is told to.
	profiles bool
	ours     bool // one of the Go servers in this program
}

func start(server, profile string) (*process, error) {
	args := []string{"node", "node/server.js"}
	if server != "node" {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		args = []string{self}
	}
	if taskset, err := exec.LookPath("taskset"); err == nil {
		args = append([]string{taskset, "-c", "0"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "BENCH_SERVE="+server, "GOMAXPROCS=1")
	if profile != "" && server != "node" {
		cmd.Env = append(cmd.Env, "BENCH_PROFILE="+profile)
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, out: bufio.NewReader(out), profiles: profile != "" && server != "node", ours: server != "node"}
	port, err := p.out.ReadString('\n')
	if err != nil {
		p.stop()
		return nil, fmt.Errorf("%s did not start: %w", server, err)
	}
	p.addr = "127.0.0.1:" + strings.TrimSpace(port)
	return p, nil
}

// profile has the server begin or end its profiles, if it writes any.
func (p *process) profile(begin bool) {
	switch {
	case !p.profiles:
	case begin:
		_ = p.cmd.Process.Signal(syscall.SIGUSR1)
	default:
		_ = p.cmd.Process.Signal(syscall.SIGUSR2)
		_, _ = p.out.ReadString('\n') // they are written
	}
}

// collect has a Go server collect its garbage.
func (p *process) collect() bool {
	if !p.ours {
		return false
	}
	_ = p.cmd.Process.Signal(syscall.SIGHUP)
	_, err := p.out.ReadString('\n')
	return err == nil
}

func (p *process) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // "signal: killed"
}

// cpu is the time that the server's threads were on a core so far. The kernel
// counts it in nanoseconds per thread; Go and Node keep their threads.
func (p *process) cpu() (time.Duration, error) {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	total := time.Duration(0)
	for _, task := range tasks {
		b, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has just ended
		}
		ran, _, _ := strings.Cut(string(b), " ")
		n, err := strconv.ParseInt(ran, 10, 64)
		if err != nil {
			return 0, err
		}
		total += time.Duration(n)
	}
	if total == 0 {
		return 0, fmt.Errorf("no schedstat for process %d", p.cmd.Process.Pid)
	}
	return total, nil
}

// pss is the process's memory, what it shares counted in part, in bytes.
func (p *process) pss() (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); f[0] == "Pss:" {
			kb, err := strconv.Atoi(f[1])
			return kb * 1024, err
		}
	}
	return 0, fmt.Errorf("no Pss for process %d", p.cmd.Process.Pid)
}
