//go:build unix

// Package pgserver runs a PostgreSQL server of one's own, for tests and
// benchmarks: a fresh cluster in a temporary directory, on a Unix socket there
// and a port of loopback. PostgreSQL refuses to run as root; then it runs as the
// user postgres or nobody.
package pgserver

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A Server is a running PostgreSQL.
type Server struct {
	dir  string
	port string
	bin  string
	args []string
	as   *syscall.SysProcAttr
	cmd  *exec.Cmd
	done chan struct{}
}

// Start makes a cluster and starts it; settings are as in postgresql.conf, such
// as "fsync=off".
func Start(settings ...string) (*Server, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin}
	if s.dir, err = os.MkdirTemp("", "pg"); err != nil {
		return nil, err
	}
	if err := s.init(); err != nil {
		_ = os.RemoveAll(s.dir)
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	_, s.port, _ = net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	s.args = []string{
		"-D", s.data(), "-k", s.dir, "-p", s.port, "-c", "listen_addresses=127.0.0.1",
	}
	for _, setting := range settings {
		s.args = append(s.args, "-c", setting)
	}
	if err := s.Run(); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// binaries finds the directory of initdb and postgres: Debian keeps it out of the
// path.
func binaries() (string, error) {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.SortFunc(dirs, func(a, b string) int { return version(b) - version(a) })
	if initdb, err := exec.LookPath("initdb"); err == nil {
		if initdb, err = filepath.EvalSymlinks(initdb); err == nil {
			dirs = append(dirs, filepath.Dir(initdb))
		}
	}
	for _, dir := range dirs {
		_, err := os.Stat(filepath.Join(dir, "initdb"))
		_, err2 := os.Stat(filepath.Join(dir, "postgres"))
		if err == nil && err2 == nil {
			return dir, nil
		}
	}
	return "", errors.New("PostgreSQL is not there: no initdb in /usr/lib/postgresql/*/bin, nor in the path")
}

func version(dir string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
	return n
}

func (s *Server) init() error {
	if os.Getuid() == 0 {
		if err := s.dropRoot(); err != nil {
			return err
		}
	}
	cmd := s.command("initdb", "-D", s.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

// dropRoot gives the directory to somebody else, as whom the server runs.
func (s *Server) dropRoot() error {
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return err
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return err
	}
	s.as = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return os.Chown(s.dir, int(uid), int(gid))
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = s.dir, s.as
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	return cmd
}

// Run starts the server, again if it was ended before, and waits until it answers.
func (s *Server) Run() error {
	deadline := time.Now().Add(30 * time.Second)
	for {
		log, err := os.Create(filepath.Join(s.dir, "log"))
		if err != nil {
			return err
		}
		s.cmd = s.command("postgres", s.args...)
		s.cmd.Stdout, s.cmd.Stderr = log, log
		err = s.cmd.Start()
		_ = log.Close()
		if err != nil {
			return err
		}
		done, cmd := make(chan struct{}), s.cmd
		s.done = done
		go func() {
			_ = cmd.Wait()
			close(done)
		}()
		if err = s.wait(deadline); err == nil {
			return nil
		}
		// What is left of a server that was killed may be in the way for a moment.
		if time.Now().After(deadline) {
			return err
		}
	}
}

func (s *Server) wait(deadline time.Time) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		out, err := s.command("pg_isready", "-q", "-h", s.dir, "-p", s.port).CombinedOutput()
		if err == nil {
			return nil
		}
		select {
		case <-s.done:
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("postgres ended: %s", log)
		case <-tick.C:
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("postgres does not answer: %w: %s", err, out)
		}
	}
}

// URL is that of a database of the server, over TCP.
func (s *Server) URL(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%s/%s?sslmode=disable", s.port, database)
}

// PIDs are those of the server's processes that there are.
func (s *Server) PIDs() []int { return append(s.children(), s.cmd.Process.Pid) }

// Kill ends all processes of the server with SIGKILL, as a crash of the machine
// would. Its data stays.
func (s *Server) Kill() {
	children := s.children()
	_ = s.cmd.Process.Kill()
	for _, pid := range children {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	<-s.done
}

// children are the processes that the server has started, where /proc says so;
// elsewhere they end by themselves, soon.
func (s *Server) children() []int {
	var pids []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, stat := range stats {
		b, _ := os.ReadFile(stat)
		// The parent is the second field behind the name, which may contain anything.
		f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		if len(f) > 1 && f[1] == strconv.Itoa(s.cmd.Process.Pid) {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(stat))); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// Stop ends the server and removes its data.
func (s *Server) Stop() {
	if s.cmd != nil && s.cmd.Process != nil && s.done != nil {
		_ = s.cmd.Process.Signal(syscall.SIGQUIT) // at once
		select {
		case <-s.done:
		case <-time.After(10 * time.Second):
			s.Kill()
		}
	}
	_ = os.RemoveAll(s.dir)
}
