package hostile

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// What we hold ourselves to. Time is not asserted, since it depends on who else
// uses the machine, but written down.
const (
	maxGrowth      = 64 << 20 // bytes of memory during an attack
	maxDescriptors = 2        // more than before, after it
	maxHeap        = 5 << 20  // bytes more than before, after the churn
	maxGoroutines  = 5        // likewise
	quiet          = 15 * time.Second
	churns         = 10_000
)

// A row is what became of one attack.
type row struct {
	Attack  string
	Seconds float64
	Worst   float64 // of the bystander's echoes, in ms
	Growth  float64 // of memory, at most, in MB
	Left    int     // descriptors, after quiet
	Wrong   string  // what should not have been
}

// TestServer attacks ours. HOSTILE_RESULTS names a file to which the figures
// are appended.
func TestServer(t *testing.T) {
	needParts(t)
	exe := filepath.Join(t.TempDir(), "target")
	if out, err := exec.Command("go", "build", "-o", exe, "./target").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	launch := func() (*subject, error) { return start(exec.Command(exe), true) }
	rows := battery(t, launch, true)
	t.Run("churn", func(t *testing.T) {
		s, err := launch()
		if err != nil {
			t.Fatal(err)
		}
		defer s.stop()
		rows = append(rows, churn(t, s))
	})
	write(t, "This server", rows)
}

// TestControl attacks the official server, which is held to nothing: it shows
// what the attacks are worth. Its figures are for whoever asks for them by
// HOSTILE_RESULTS; what they say of others' software is told to its authors
// first, and is not kept here.
func TestControl(t *testing.T) {
	needParts(t)
	if os.Getenv("HOSTILE_RESULTS") == "" {
		return // not skipped: there is nothing to find out about ours
	}
	launch := func() (*subject, error) {
		cmd := exec.Command("node", "server.mjs")
		cmd.Dir = "../node"
		cmd.Env = append(os.Environ(), "FIXTURE_OPTIONS={}")
		return start(cmd, false)
	}
	write(t, "The official server", battery(t, launch, false))
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
	by, err := newBystander(s.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { by.close() }()
	a := newArena(s)
	defer a.http.CloseIdleConnections()
	if err := a.works(); err != nil {
		t.Fatal("before any attack: ", err)
	}
	for _, attack := range attacks {
		t.Run(attack.name, func(t *testing.T) {
			r := one(a, by, attack)
			rows = append(rows, r)
			if r.Wrong != "" && strict {
				t.Error(r.Wrong)
			}
			t.Logf("%.1f s, bystander waited %.0f ms, memory grew %.0f MB, %d descriptors left", r.Seconds, r.Worst, r.Growth, r.Left)
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
		if by, err = newBystander(s.addr); err != nil {
			t.Fatal(err)
		}
		a = newArena(s)
	}
	return rows
}

// one runs one attack and looks at what it did.
func one(a *arena, by *bystander, attack attack) row {
	r := row{Attack: attack.name}
	a.http.CloseIdleConnections()
	files := settled(a.s)
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
	before := by.count()
	for deadline := time.Now().Add(patience); by.count() <= before+1 && time.Now().Before(deadline); {
		<-time.After(time.Millisecond)
	}
	worst, err := by.look()
	r.Worst = float64(worst) / 1e6
	if !a.s.alive() {
		r.Wrong = errDead.Error()
		return r
	}
	if err != nil || by.count() <= before+1 {
		wrong = append(wrong, fmt.Sprintf("the bystander is not served: %v", err))
	}
	if err := a.works(); err != nil {
		wrong = append(wrong, "new clients are not served: "+err.Error())
	}
	a.http.CloseIdleConnections()
	for deadline := time.Now().Add(quiet); ; {
		r.Left = a.s.descriptors() - files
		if r.Left <= maxDescriptors || time.Now().After(deadline) {
			break
		}
		<-time.After(50 * time.Millisecond)
	}
	if r.Left > maxDescriptors {
		wrong = append(wrong, fmt.Sprintf("%d descriptors are left", r.Left))
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
func churn(t *testing.T, s *subject) row {
	a := newArena(s)
	together(200, 16, func(i int) { comeAndGo(a, i) }) // what is made once is made
	a.http.CloseIdleConnections()
	files := settled(s)
	start, err := s.account()
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	together(churns, 16, func(i int) { comeAndGo(a, i) })
	a.http.CloseIdleConnections()
	r := row{Attack: fmt.Sprintf("%d connects and disconnects", churns), Seconds: time.Since(begin).Seconds()}
	var end account
	for deadline := time.Now().Add(quiet); ; {
		if end, err = s.account(); err != nil {
			t.Fatal(err)
		}
		r.Left = s.descriptors() - files
		back := end.Goroutines <= start.Goroutines+maxGoroutines && r.Left <= maxDescriptors && end.Heap <= start.Heap+maxHeap
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

// write appends the rows to the file of results.
func write(t *testing.T, who string, rows []row) {
	path := os.Getenv("HOSTILE_RESULTS")
	if path == "" {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| Attack | took, s | bystander's worst echo, ms | memory grew, MB | descriptors left | what should not have been |\n|---|---:|---:|---:|---:|---|\n",
		who, time.Now().UTC().Format("2006-01-02 15:04"))
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s | %.1f | %.0f | %.0f | %d | %s |\n", r.Attack, r.Seconds, r.Worst, r.Growth, r.Left, r.Wrong)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(b.String()); err != nil {
		t.Fatal(err)
	}
}
