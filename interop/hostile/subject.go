// Package hostile attacks a server in every way that has hurt servers of this
// kind, and looks what becomes of it and of a bystander. Ours has to stand it
// all; the official one goes through the same, as a control of the attacks and
// to compare. See attacks.go for what is tried.
package hostile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sockeye-go/socketio"
)

// A subject is a server in a process of its own.
type subject struct {
	addr   string // host:port
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr lockedBuffer
	ended  chan struct{}
	asks   bool // it answers with an account
}

// An account is what our target says of itself.
type account struct {
	Goroutines int
	QUIC       int // connections
	Heap       int64
	Stats      socketio.Stats
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.b.Len() > 1<<20 {
		return len(p), nil
	}
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func start(cmd *exec.Cmd, asks bool) (*subject, error) {
	s := &subject{cmd: cmd, asks: asks, ended: make(chan struct{})}
	var err error
	if s.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = &s.stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s.out = bufio.NewReader(out)
	line, err := s.out.ReadString('\n')
	port, ok := strings.CutPrefix(strings.TrimSpace(line), "listening ")
	if err != nil || !ok {
		_ = cmd.Process.Kill()
		return nil, fmt.Errorf("%s says %q, %w\n%s", cmd.Path, line, err, &s.stderr)
	}
	s.addr = "127.0.0.1:" + port
	go func() {
		if !s.asks { // reports of the fixture, which nobody wants
			_, _ = io.Copy(io.Discard, s.out)
		}
		_ = cmd.Wait()
		close(s.ended)
	}()
	return s, nil
}

func (s *subject) stop() {
	_ = s.in.Close()
	select {
	case <-s.ended:
	case <-time.After(5 * time.Second):
		_ = s.cmd.Process.Kill()
		<-s.ended
	}
}

func (s *subject) alive() bool {
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

// account has the target collect its garbage and say what is left. That of a server
// that is not ours is empty.
func (s *subject) account() (account, error) { return s.ask("account") }

// count is the same without the collection, whose traces one attack would leave in the
// figures of the next.
func (s *subject) count() (account, error) { return s.ask("count") }

func (s *subject) ask(what string) (account, error) {
	var a account
	if !s.asks {
		return a, nil
	}
	if _, err := io.WriteString(s.in, what+"\n"); err != nil {
		return a, err
	}
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(line, &a)
}

// descriptors returns how many the process has open.
func (s *subject) descriptors() int {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
	if err != nil {
		return -1
	}
	return len(entries)
}

// resident returns the bytes of memory that the process has.
func (s *subject) resident() int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", s.cmd.Process.Pid))
	if err != nil {
		return -1
	}
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return -1
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

var errDead = errors.New("the process has ended")
