//go:build unix

package main

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// A screen is a command at a pseudo-terminal.
type screen struct {
	t   *testing.T
	cmd *exec.Cmd
	tty *os.File

	mu   sync.Mutex
	text strings.Builder // all that was written; guarded by mu
	more chan struct{}
	done chan struct{}
}

func openScreen(t *testing.T, cmd *exec.Cmd) *screen {
	t.Helper()
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 120})
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, cmd: cmd, tty: tty, more: make(chan struct{}, 1), done: make(chan struct{})}
	go s.read()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
		tty.Close()
		<-s.done
	})
	return s
}

func (s *screen) read() {
	defer close(s.done)
	var b [4096]byte
	for {
		n, err := s.tty.Read(b[:])
		s.mu.Lock()
		s.text.Write(b[:n])
		s.mu.Unlock()
		select {
		case s.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

func (s *screen) raw() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

var escapes = regexp.MustCompile(`\x1b(\[[0-9;?<>=]*[a-zA-Z~]|\][^\x07]*\x07|[=>()][0-9A-B]?)`)

// plain is what was written without its colours and movements.
func (s *screen) plain() string { return escapes.ReplaceAllString(s.raw(), "") }

// see waits until text has been written.
func (s *screen) see(text string) {
	s.t.Helper()
	timeout := time.After(30 * time.Second)
	for !strings.Contains(s.plain(), text) {
		select {
		case <-s.more:
		case <-s.done:
			if strings.Contains(s.plain(), text) {
				return
			}
			s.t.Fatalf("it ended and %q was not seen in\n%s", text, s.plain())
		case <-timeout:
			s.t.Fatalf("%q was not seen in\n%s", text, s.plain())
		}
	}
}

func (s *screen) typed(keys string) {
	s.t.Helper()
	if _, err := s.tty.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

// end waits for the process and the last that it wrote, and returns its exit code.
func (s *screen) end() int {
	_ = s.cmd.Wait()
	<-s.done
	return s.cmd.ProcessState.ExitCode()
}

// TestTerminal is a conversation by hand.
func TestTerminal(t *testing.T) {
	url := wordServer(t)
	cmd := command(t, "connect", url)
	s := openScreen(t, cmd)
	s.see("● connected to /")
	s.see("◂ hello")
	s.typed("em\t")
	s.see("emit ")
	s.typed("echo hi {\"n\":1}\r")
	s.see(`◂ echo "hi" {"n":1}`)
	s.typed("call echo 42\r")
	s.see("✓ echo 42  #1, ")
	s.typed("call he\t") // seen before
	s.see("call hello ")
	s.typed("\x15call ask question 5\r")
	s.see("◂ question 5  wants an answer: answer 1 …")
	s.typed("answer 1 five\r")
	s.see(`✓ ask "five"  #2`)
	s.typed("off echo\remit echo hidden\rcall echo after\r")
	s.see(`✓ echo "after"`)
	if strings.Contains(s.plain(), `◂ echo "hidden"`) {
		t.Error("an event is shown that is off")
	}
	s.typed("hello\r")
	s.see("there is no command \"hello\"; to send an event of this name: emit hello")
	s.typed("42\x12\x12\r") // by Ctrl-R, the line with 42 in it
	s.see("✓ echo 42  #4, ")
	s.typed("disconnect\r")
	s.see("○ disconnected: io client disconnect")
	s.typed("connect\r")
	s.typed("status\r")
	s.see("connected to ")
	s.typed("help\rquit\r")
	s.see("ARGS are JSON values")
	if code := s.end(); code != 0 {
		t.Errorf("code %d", code)
	}
	if !strings.Contains(s.raw(), "\x1b[32m") {
		t.Error("nothing is coloured")
	}
	again := openScreen(t, func() *exec.Cmd { c := command(t, "connect", url); c.Env = cmd.Env; return c }())
	again.see("● connected to /")
	again.typed("\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A") // six lines back: quit, help, status, connect, disconnect, call
	again.see("call echo 42")
	again.typed("\x03")
	if code := again.end(); code != 0 {
		t.Errorf("after Ctrl-C: code %d", code)
	}
}

func TestTerminalWithoutColour(t *testing.T) {
	cmd := command(t, "connect", wordServer(t))
	cmd.Env = append(cmd.Env, "NO_COLOR=1")
	s := openScreen(t, cmd)
	s.see("◂ hello")
	s.typed("\x04")
	if code := s.end(); code != 0 {
		t.Errorf("code %d", code)
	}
	if strings.Contains(s.raw(), "\x1b[32m") {
		t.Errorf("colours: %q", s.raw())
	}
}
