package hostile

import (
	"cmp"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/internal/leak"
)

func TestMain(m *testing.M) {
	if where := os.Getenv(bystanding); where != "" {
		if err := bystand(where); err != nil {
			log.Fatal("bystanders: ", err)
		}
		return
	}
	leak.Main(m)
}

// What we hold ourselves to. Time is not asserted, since it depends on who else
// uses the machine, but written down.
const (
	maxGrowth      = 64 << 20 // bytes of memory during an attack
	maxDescriptors = 2        // more than before, after it
	maxHeap        = 5 << 20  // bytes more than before, after the churn
	maxGoroutines  = 5        // likewise
	churns         = 10_000
	quicChurns     = 1_000 // each of which takes a handshake of TLS
)

// A row is what became of one attack.
type row struct {
	Attack  string
	Seconds float64
	Worst   float64 // of the bystander's echoes, in ms
	Growth  float64 // of memory, at most, in MB
	Left    int     // descriptors, after quiet
	More    int     // goroutines, likewise; of ours
	Wrong   string  // what should not have been
}

// TestServer attacks ours. HOSTILE_RESULTS names a file for the page.
func TestServer(t *testing.T) {
	needParts(t)
	exe := filepath.Join(t.TempDir(), "target")
	if out, err := exec.Command("go", "build", "-o", exe, "./target").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	launch := func() (*subject, error) { return start(exec.Command(exe), true) }
	load := loadOfMachine()
	rows := battery(t, launch, true)
	t.Run("churn", func(t *testing.T) {
		s, err := launch()
		if err != nil {
			t.Fatal(err)
		}
		defer s.stop()
		rows = append(rows, churn(t, s, churns, "connects and disconnects", comeAndGo))
	})
	t.Run("churn over WebTransport", func(t *testing.T) {
		s, err := launch()
		if err != nil {
			t.Fatal(err)
		}
		defer s.stop()
		rows = append(rows, churn(t, s, quicChurns, "connects and disconnects over WebTransport", comeAndGoQUIC))
	})
	write(t, os.Getenv("HOSTILE_RESULTS"), load, rows)
}

// TestControl attacks the official server, which is held to nothing: it shows
// what the attacks are worth. Its figures are for whoever asks for them by
// HOSTILE_CONTROL; what they say of others' software is told to its authors
// first, and is not kept here.
func TestControl(t *testing.T) {
	needParts(t)
	results := os.Getenv("HOSTILE_CONTROL")
	if results == "" {
		return // not skipped: there is nothing to find out about ours
	}
	launch := func() (*subject, error) {
		cmd := exec.Command("node", "server.mjs")
		cmd.Dir = "../node"
		cmd.Env = append(os.Environ(), "FIXTURE_OPTIONS={}")
		return start(cmd, false)
	}
	write(t, results, loadOfMachine(), battery(t, launch, false))
}

func needParts(t *testing.T) {
	t.Helper()
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("takes a minute: set SOCKEYE_PARTS=all")
	}
}

// battery runs all attacks on one server, which is started again if it dies.
func battery(t *testing.T, launch func() (*subject, error), strict bool) (rows []row) {
	s, err := launch()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { s.stop() }()
	a := newArena(s)
	defer a.http.CloseIdleConnections()
	by, err := newBystanders(a)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { by.close() }()
	if err := a.works(); err != nil {
		t.Fatal("before any attack: ", err)
	}
	all := attacks
	if s.asks { // ours speaks WebTransport
		all = slices.Concat(attacks, quicAttacks)
	}
	for _, attack := range all {
		t.Run(attack.name, func(t *testing.T) {
			r := one(a, by, attack)
			rows = append(rows, r)
			if r.Wrong != "" && strict {
				t.Error(r.Wrong)
			}
			t.Logf("%.1f s, bystander waited %.0f ms, memory grew %.0f MB, %d descriptors and %d goroutines left", r.Seconds, r.Worst, r.Growth, r.Left, r.More)
		})
		if _, err := by.look(); err == nil && s.alive() {
			continue
		}
		if strict {
			t.Fatalf("the server is gone, or its bystander:\n%.4000s", s.stderr.String())
		}
		by.close()
		s.stop()
		a.http.CloseIdleConnections()
		if s, err = launch(); err != nil {
			t.Fatal(err)
		}
		a = newArena(s)
		if by, err = newBystanders(a); err != nil {
			t.Fatal(err)
		}
	}
	return rows
}

// one runs one attack and looks at what it did.
func one(a *arena, by *bystanders, attack attack) row {
	r := row{Attack: attack.name}
	a.http.CloseIdleConnections()
	files := settled(a.s)
	start, _ := a.s.count()
	memory := a.s.resident()
	_, _ = by.look()
	begin := time.Now()

	peak, sampling := make(chan int64), make(chan struct{})
	go func() {
		most := memory
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				most = max(most, a.s.resident())
			case <-sampling:
				peak <- max(most, a.s.resident())
				return
			}
		}
	}()
	done := make(chan error, 1)
	go func() { done <- attack.run(a) }()
	var wrong []string
	if err := <-done; err != nil {
		wrong = append(wrong, err.Error())
	}
	r.Seconds = time.Since(begin).Seconds()
	close(sampling)
	r.Growth = float64(<-peak-memory) / 1e6
	if r.Growth*1e6 > maxGrowth {
		wrong = append(wrong, fmt.Sprintf("memory grew by %.0f MB", r.Growth))
	}
	a.http.CloseIdleConnections()

	// Alive, for those who are there and for those who come.
	worst, err := by.goOn()
	r.Worst = float64(worst) / 1e6
	if !a.s.alive() {
		r.Wrong = errDead.Error()
		return r
	}
	if err != nil {
		wrong = append(wrong, fmt.Sprintf("the bystander is not served: %v", err))
	}
	if err := errors.Join(a.works(), a.worksQUIC()); err != nil {
		wrong = append(wrong, "new clients are not served: "+err.Error())
	}
	a.http.CloseIdleConnections()
	for deadline := time.Now().Add(quiet); ; {
		r.Left = a.s.descriptors() - files
		now, _ := a.s.count()
		r.More = now.Goroutines - start.Goroutines
		if r.Left <= maxDescriptors && r.More <= maxGoroutines || time.Now().After(deadline) {
			break
		}
		<-time.After(50 * time.Millisecond)
	}
	if r.Left > maxDescriptors {
		wrong = append(wrong, fmt.Sprintf("%d descriptors are left", r.Left))
	}
	if r.More > maxGoroutines {
		wrong = append(wrong, fmt.Sprintf("%d goroutines are left", r.More))
	}
	r.Wrong = strings.Join(wrong, "; ")
	return r
}

// settled waits until the number of descriptors has stopped falling.
func settled(s *subject) int {
	n := s.descriptors()
	for range 20 {
		<-time.After(20 * time.Millisecond)
		m := s.descriptors()
		if m >= n {
			return m
		}
		n = m
	}
	return n
}

// churn connects and disconnects many times, half of them by a reset, and asks
// for the account when it is quiet.
func churn(t *testing.T, s *subject, n int, what string, visit func(*arena, int)) row {
	a := newArena(s)
	together(n/50, 16, func(i int) { visit(a, i) }) // what is made once is made
	a.http.CloseIdleConnections()
	files := settled(s)
	start, err := s.account()
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	together(n, 16, func(i int) { visit(a, i) })
	a.http.CloseIdleConnections()
	r := row{Attack: fmt.Sprint(n, " ", what), Seconds: time.Since(begin).Seconds()}
	var end account
	for deadline := time.Now().Add(quiet); ; {
		if end, err = s.account(); err != nil {
			t.Fatal(err)
		}
		r.Left = s.descriptors() - files
		r.More = end.Goroutines - start.Goroutines
		back := end.QUIC <= start.QUIC && end.Goroutines <= start.Goroutines+maxGoroutines && r.Left <= maxDescriptors && end.Heap <= start.Heap+maxHeap
		if back || time.Now().After(deadline) {
			break
		}
		<-time.After(100 * time.Millisecond)
	}
	r.Growth = float64(end.Heap-start.Heap) / 1e6
	t.Logf("after %.1f s: %d goroutines, %d before; %d descriptors more; heap %+.2f MB", r.Seconds, end.Goroutines, start.Goroutines, r.Left, r.Growth)
	if n := end.Goroutines - start.Goroutines; n > maxGoroutines {
		t.Errorf("%d goroutines more than before", n)
	}
	if r.Left > maxDescriptors {
		t.Errorf("%d descriptors more than before", r.Left)
	}
	if end.Heap > start.Heap+maxHeap {
		t.Errorf("the heap is %.1f MB larger than before", r.Growth)
	}
	return r
}

// comeAndGo is one client, over either transport, that leaves in good order or by
// a reset.
func comeAndGo(a *arena, i int) {
	if i%4 >= 2 {
		sid := a.polling()
		a.post(sid, "40")
		if i%2 == 0 {
			a.post(sid, "1")
			return
		}
		if c := a.tcp(); c != nil { // a poll that is cut
			_, _ = c.Write([]byte(get(engine+"polling&sid="+sid) + get(engine+"polling&sid="+sid)))
			readFor(c, time.Millisecond)
			(&socket{TCPConn: c}).reset()
		}
		a.post(sid, "1") // or it stays until its ping times out, as it should
		return
	}
	s := a.joined()
	if s == nil {
		return
	}
	if i%2 == 0 {
		s.text("41")
		s.Close()
		return
	}
	s.reset()
}

// comeAndGoQUIC is one over WebTransport, which leaves in good order, without a word, or
// in the middle.
func comeAndGoQUIC(a *arena, i int) {
	switch i % 4 {
	case 0:
		if s := a.joinedQUIC(); s != nil {
			s.text("41")
			s.close()
		}
	case 1:
		if s := a.joinedQUIC(); s != nil {
			s.vanish()
		}
	case 2:
		if s := a.opened("0"); s != nil {
			s.s.CancelWrite(1)
			s.s.CancelRead(1)
			s.close()
		}
	case 3:
		if s := a.session(); s != nil {
			s.vanish()
		}
	}
}

// loadOfMachine is how many wanted to run at a time in the last minute.
func loadOfMachine() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(b), " ")
	return first
}

// write makes the page.
func write(t *testing.T, path, load string, rows []row) {
	if path == "" {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, pageHead, time.Now().UTC().Format("2006-01-02 15:04"), runtime.Version(), runtime.NumCPU(), load)
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %.1f | %.0f | %.0f | %d | %d | %s |\n", r.Attack, r.Seconds, r.Worst, r.Growth, r.Left, r.More, cmp.Or(r.Wrong, "nothing"))
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

const pageHead = `# The last battery

` + "`make battery`" + ` writes this page: what became of each attack of interop/hostile on our server.
%s, %s, attackers, server and bystanders, a process each, on the same %d cores, whose load was %s when it began:
what else runs on a machine, bystanders wait for as well. Memory is the resident size of
the process; of goroutines those that rest until there is work are not counted.

| Attack | took, s | worst echo of the bystanders, ms | memory grew, MB | descriptors left | goroutines left | what should not have been |
|---|---:|---:|---:|---:|---:|---|
`
