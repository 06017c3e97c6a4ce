//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A process is a server under measurement, on the first core.
type process struct {
	cmd  *exec.Cmd
	addr string
	in   io.Writer // of a client
	out  *bufio.Reader
	// profiles says that the server writes profiles when it is told to.
	profiles bool
	ours     bool // one of the Go servers in this program
	secure   bool // it speaks TLS
}

// url is the address with a scheme, "ws" or "http", or what that is over TLS.
func (p *process) url(scheme string) string {
	if p.secure {
		scheme += "s"
	}
	return scheme + "://" + p.addr
}

// others are servers that are none of this program's, and the commands that start
// them: they print the port that they listen on, at 127.0.0.1, as their first line.
var others = map[string]string{"node": "exec node node/server.js", "node client": "exec node node/client.js"}

// serverProgram builds the program of the Go servers that are measured, once, and
// returns where it is.
var serverProgram = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return "", err
	}
	serverDir = dir
	program := filepath.Join(dir, "server")
	if out, err := exec.Command("go", "build", "-o", program, "./server").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./server: %w\n%s", err, out)
	}
	return program, nil
})

var serverDir string

// removeServer removes what serverProgram has built.
func removeServer() {
	if serverDir != "" {
		_ = os.RemoveAll(serverDir)
	}
}

func start(server string, s *scenario, profile string) (*process, error) {
	command, other := others[server]
	args := []string{"sh", "-c", command}
	if !other {
		program, err := serverProgram()
		if slices.Contains(clients, server) {
			program, err = os.Executable()
		}
		if err != nil {
			return nil, err
		}
		args = []string{program}
	}
	procs := max(s.procs, 1)
	if taskset, err := exec.LookPath("taskset"); err == nil {
		args = append([]string{taskset, "-c", []string{"0", "0,1"}[procs-1]}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "BENCH_SERVE="+server, "BENCH_TEXT="+text, "GOMAXPROCS="+strconv.Itoa(procs))
	cmd.Env = append(cmd.Env, s.env...)
	profiles := profile != "" && !other
	if profiles {
		cmd.Env = append(cmd.Env, "BENCH_PROFILE="+profile)
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, in: in, out: bufio.NewReader(out), profiles: profiles, ours: !other, secure: slices.Contains(s.env, overTLS)}
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
		p.line() // they are written
	}
}

// grown is by how much the memory has grown, for each of n.
func (p *process) grown(before, n int) (figure, error) {
	after, err := p.pss()
	if err != nil {
		return figure{}, err
	}
	f := figure{Value: float64(after-before) / float64(n)}
	if p.collect() {
		if after, err = p.pss(); err == nil {
			f.Collected = float64(after-before) / float64(n)
		}
	}
	return f, err
}

// collect has a Go server collect its garbage.
func (p *process) collect() bool {
	if !p.ours {
		return false
	}
	_ = p.cmd.Process.Signal(syscall.SIGHUP)
	return p.line()
}

// line waits for a line of the server's, and for no longer than half a minute.
func (p *process) line() bool {
	timer := time.AfterFunc(30*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
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
	total := cpuOf([]int{p.cmd.Process.Pid})
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
