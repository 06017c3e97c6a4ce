// Package alone is for the programs that measure an example: the server is a process
// of its own on the first core, the clients are on the other ones. Where there is no
// taskset the server has one core too, but not always the same.
package alone

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A result is what the server says of itself at the end.
type result struct {
	CPU  time.Duration
	More json.RawMessage
}

// Serve is the server's side. begin is called when the measurement begins, and what
// end returns is handed to [Server.End].
func Serve(h http.Handler, begin func(), end func() any) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	hs := &http.Server{Handler: h}
	go hs.Serve(ln)
	fmt.Println(ln.Addr())
	in := bufio.NewScanner(os.Stdin)
	in.Scan()
	begin()
	before := cpu()
	in.Scan()
	r := result{CPU: cpu() - before}
	if r.More, err = json.Marshal(end()); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

const moved = "SOCKEYE_LOAD_MOVED"

// Move takes this process, the clients', away from the first core. It begins the
// program anew for that.
func Move() error {
	taskset, err := exec.LookPath("taskset")
	if err != nil || runtime.NumCPU() < 2 || os.Getenv(moved) != "" {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cores := "1-" + strconv.Itoa(runtime.NumCPU()-1)
	return syscall.Exec(taskset, append([]string{taskset, "-c", cores, self}, os.Args[1:]...), append(os.Environ(), moved+"=1"))
}

// A Server is the server, seen from the clients.
type Server struct {
	Addr  string
	Where string // the core that it has, in words

	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// Start starts this program again with the flag -serve.
func Start() (*Server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args, where := []string{self}, "GOMAXPROCS=1, not pinned: there is no taskset"
	if taskset, err := exec.LookPath("taskset"); err == nil {
		args, where = []string{taskset, "-c", "0", self}, "the first core, GOMAXPROCS=1"
	}
	s := &Server{Where: where, cmd: exec.Command(args[0], append(args[1:], "-serve")...)}
	s.cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	s.cmd.Stderr = os.Stderr
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.out = bufio.NewReader(out)
	line, err := s.out.ReadString('\n')
	s.Addr = strings.TrimSpace(line)
	return s, err
}

// Begin tells the server that the measurement begins.
func (s *Server) Begin() error { _, err := fmt.Fprintln(s.in, "begin"); return err }

// End ends the measurement and the server, decodes what it says, and returns the
// processor time that it took since Begin.
func (s *Server) End(v any) (time.Duration, error) {
	if _, err := fmt.Fprintln(s.in, "end"); err != nil {
		return 0, err
	}
	var r result
	if err := json.NewDecoder(s.out).Decode(&r); err != nil {
		return 0, err
	}
	return r.CPU, json.Unmarshal(r.More, v)
}

// Close ends the server, whatever it does.
func (s *Server) Close() {
	s.in.Close()
	_ = s.cmd.Process.Kill() // it may have ended
	_ = s.cmd.Wait()
}
