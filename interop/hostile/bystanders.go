package hostile

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Bystanders are one for each transport that is attacked, in a process of their own: or
// they would wait for the attackers' goroutines, and not for the server.
type bystanders struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// A sight is how the bystanders fare.
type sight struct {
	Worst  time.Duration // the longest echo since the last look, that which is on its way included
	Err    string        // of those that cannot go on
	Echoes []int         // of each
}

// bystanding has the address of the server that the process of the bystanders stands by.
const bystanding = "HOSTILE_BYSTAND"

func newBystanders(a *arena) (*bystanders, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	b := &bystanders{cmd: exec.Command(self)}
	b.cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %t", bystanding, a.s.addr, a.s.asks))
	b.cmd.Stderr = os.Stderr
	if b.in, err = b.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	b.out = bufio.NewReader(out)
	if err := b.cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := b.look(); err != nil { // they stand
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *bystanders) ask() (s sight, err error) {
	if _, err := io.WriteString(b.in, "look\n"); err != nil {
		return s, err
	}
	line, err := b.out.ReadBytes('\n')
	if err != nil {
		return s, fmt.Errorf("the bystanders' process: %w", err)
	}
	return s, json.Unmarshal(line, &s)
}

// look returns the longest echo since the last look, and how it goes.
func (b *bystanders) look() (worst time.Duration, err error) {
	s, err := b.ask()
	if err == nil && s.Err != "" {
		err = errors.New(s.Err)
	}
	return s.Worst, err
}

// goOn waits until each has had two more echoes, the second of which began
// afterwards. It returns the longest wait since the last look.
func (b *bystanders) goOn() (worst time.Duration, err error) {
	var first, s sight
	served := waitFor(func() bool {
		s, err = b.ask()
		worst = max(worst, s.Worst)
		if err != nil || s.Err != "" {
			return true
		}
		if first.Echoes == nil {
			first = s
		}
		for i, n := range s.Echoes {
			if n <= first.Echoes[i]+1 {
				return false
			}
		}
		return true
	})
	switch {
	case err == nil && s.Err != "":
		err = errors.New(s.Err)
	case err == nil && !served:
		err = errors.New("no echo comes back")
	}
	return worst, err
}

func (b *bystanders) close() {
	_ = b.in.Close()
	_ = b.cmd.Wait()
}

// bystand is what the process of the bystanders does, until its standard input ends.
func bystand(where string) error {
	addr, asks, _ := strings.Cut(where, " ")
	a := newArena(&subject{addr: addr, asks: asks == "true"})
	by, err := newBystander(addr)
	if err != nil {
		return err
	}
	all := []*bystander{by}
	if a.s.asks { // ours
		if by, err = newQUICBystander(a); err != nil {
			return err
		}
		all = append(all, by)
	}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var s sight
		for _, by := range all {
			worst, err := by.look()
			if err == nil && by.ended() {
				err = errors.New("it has ended")
			}
			if err != nil {
				s.Err += err.Error() + "; "
			}
			s.Worst = max(s.Worst, worst)
			s.Echoes = append(s.Echoes, by.count())
		}
		if err := json.NewEncoder(os.Stdout).Encode(s); err != nil {
			return err
		}
	}
	return nil
}
