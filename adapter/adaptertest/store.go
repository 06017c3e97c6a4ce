package adaptertest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

// RunStore checks what open returns, which is a new store with nothing in it, in
// a synctest bubble.
func RunStore(t *testing.T, open func(t *testing.T) cluster.Store) {
	for _, s := range storeTests {
		t.Run(s.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { s.test(t, open(t)) })
		})
	}
}

// RunStoreReal is RunStore over a real one, in real time.
func RunStoreReal(t *testing.T, open func(t *testing.T) cluster.Store) {
	for _, s := range storeTests {
		t.Run(s.name, func(t *testing.T) { s.test(t, open(t)) })
	}
}

var storeTests = []struct {
	name string
	test func(*testing.T, cluster.Store)
}{
	{"one order", testOneOrder},
	{"appended again", testAppendedAgain},
	{"after", testAfter},
	{"left out", testLeftOut},
	{"namespaces", testStoreNamespaces},
	{"records", testRecords},
	{"one of many writes", testOneWrites},
	{"expiry", testExpiry},
}

// A reader keeps what a log hands over.
type reader struct {
	mu   sync.Mutex
	got  []*cluster.Message
	more chan struct{}
}

func (r *reader) Read(ms []*cluster.Message) {
	r.mu.Lock()
	r.got = append(r.got, ms...)
	r.mu.Unlock()
	select {
	case r.more <- struct{}{}:
	default:
	}
}

func (r *reader) Lost(error)                 {}
func (r *reader) Gap(cluster.Position, bool) {}

// wait returns the first n that were handed over.
func (r *reader) wait(t *testing.T, n int) []*cluster.Message {
	t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		r.mu.Lock()
		got := slices.Clone(r.got)
		r.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-r.more:
		case <-timeout:
			t.Fatalf("%d messages were handed over; want %d", len(got), n)
		}
	}
}

func openLog(t *testing.T, s cluster.Store, nsp, uid string) (cluster.Log, *reader) {
	t.Helper()
	r := &reader{more: make(chan struct{}, 1)}
	l, err := s.Open(nsp, uid, NewRecoveringHosts(1)[0].keep, r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l, r
}

func entry(t *testing.T, nsp, uid string, seq int) *cluster.Message {
	t.Helper()
	var args []any
	if seq%3 == 0 {
		args = []any{[]byte{1, 2, byte(seq)}}
	}
	v, err := cluster.NewValues(append([]any{fmt.Sprint(uid, seq)}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return &cluster.Message{
		Type: cluster.Broadcast, UID: uid, NSP: nsp, Seq: uint64(seq), Values: v,
		Target: adapter.Target{Rooms: []string{"a", "b"}, Except: []string{"c"}},
	}
}

func names(t *testing.T, ms []*cluster.Message) string {
	t.Helper()
	var all []string
	for _, m := range ms {
		name, _, err := m.Values.Event()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

func appendTo(t *testing.T, l cluster.Log, ms ...*cluster.Message) {
	t.Helper()
	if err := l.Append(context.Background(), ms); err != nil {
		t.Fatal(err)
	}
}

// testOneOrder has three append at once: all are handed the same, in the order of
// each.
func testOneOrder(t *testing.T, s cluster.Store) {
	const each = 60
	var logs []cluster.Log
	var readers []*reader
	for _, uid := range []string{"a", "b", "c"} {
		l, r := openLog(t, s, "/test", uid)
		logs, readers = append(logs, l), append(readers, r)
	}
	var wg sync.WaitGroup
	for i, l := range logs {
		uid := string(rune('a' + i))
		wg.Go(func() {
			for j := 1; j <= each; j += 3 {
				appendTo(t, l, entry(t, "/test", uid, j), entry(t, "/test", uid, j+1), entry(t, "/test", uid, j+2))
			}
		})
	}
	wg.Wait()
	first := readers[0].wait(t, 3*each)
	last, next := logs[0].Start(), map[string]uint64{}
	for _, m := range first {
		if !m.Position.After(last) {
			t.Fatalf("%v comes behind %v", m.Position, last)
		}
		last = m.Position
		if next[m.UID]++; m.Seq != next[m.UID] {
			t.Fatalf("%s: number %d; want %d", m.UID, m.Seq, next[m.UID])
		}
		want := entry(t, "/test", m.UID, int(m.Seq))
		if m.NSP != "/test" || m.Type != want.Type || !bytes.Equal(m.Values.JSON, want.Values.JSON) ||
			fmt.Sprint(m.Target, m.Values.Attachments) != fmt.Sprint(want.Target, want.Values.Attachments) {
			t.Fatalf("got %+v; want %+v", m, want)
		}
	}
	for i, r := range readers {
		if got := r.wait(t, 3*each); names(t, got) != names(t, first) || len(got) != 3*each {
			t.Errorf("reader %d was handed %s", i, names(t, got))
		}
	}
	if head, err := logs[1].Head(t.Context()); err != nil || head != last {
		t.Errorf("Head = %v, %v; want %v", head, err, last)
	}
	late, r := openLog(t, s, "/test", "d")
	if late.Start() != last {
		t.Errorf("Start of a late one = %v; want %v", late.Start(), last)
	}
	appendTo(t, logs[0], entry(t, "/test", "a", each+1))
	if got := names(t, r.wait(t, 1)); got != fmt.Sprint("a", each+1) {
		t.Errorf("the late one was handed %s", got)
	}
}

// testAppendedAgain: what is appended again, since the answer was lost, is there
// once.
func testAppendedAgain(t *testing.T, s cluster.Store) {
	l, r := openLog(t, s, "/test", "a")
	appendTo(t, l, entry(t, "/test", "a", 1), entry(t, "/test", "a", 2))
	appendTo(t, l, entry(t, "/test", "a", 1), entry(t, "/test", "a", 2), entry(t, "/test", "a", 3))
	appendTo(t, l, entry(t, "/test", "a", 3))
	appendTo(t, l, entry(t, "/test", "a", 4))
	r.wait(t, 4)
	ms, err := l.After(t.Context(), l.Start())
	if got := names(t, ms); err != nil || got != "a1 a2 a3 a4" {
		t.Errorf("After = %s, %v", got, err)
	}
}

func testAfter(t *testing.T, s cluster.Store) {
	l, r := openLog(t, s, "/test", "a")
	if ms, err := l.After(t.Context(), l.Start()); err != nil || len(ms) != 0 {
		t.Errorf("After in an empty log = %s, %v", names(t, ms), err)
	}
	const n = 2500
	for i := 1; i <= n; i += 100 {
		var ms []*cluster.Message
		for j := range 100 {
			ms = append(ms, entry(t, "/test", "a", i+j))
		}
		appendTo(t, l, ms...)
	}
	handed := r.wait(t, n)
	for _, from := range []int{0, 1, 777, n - 1, n} {
		p := l.Start()
		if from > 0 {
			p = handed[from-1].Position
		}
		if ok, err := l.Reaches(t.Context(), p); !ok || err != nil {
			t.Errorf("Reaches(%v) = %v, %v", p, ok, err)
		}
		for i := from; ; {
			ms, err := l.After(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range ms {
				if m.Seq != uint64(i+1) || m.Position != handed[i].Position {
					t.Fatalf("After(%v): number %d at %v; want %d at %v", p, m.Seq, m.Position, i+1, handed[i].Position)
				}
				p = m.Position
				i++
			}
			if len(ms) == 0 {
				if i != n {
					t.Errorf("After ended at %d; want %d", i, n)
				}
				break
			}
		}
	}
}

// testLeftOut: what does not encode does not keep others from being appended.
func testLeftOut(t *testing.T, s cluster.Store) {
	l, r := openLog(t, s, "/test", "a")
	bad := entry(t, "/test", "a", 2)
	bad.Values = cluster.Values{JSON: []byte(`["bad`), Attachments: [][]byte{{1}}}
	err := l.Append(t.Context(), []*cluster.Message{entry(t, "/test", "a", 1), bad, entry(t, "/test", "a", 3)})
	if _, ok := err.(*cluster.EncodeError); !ok {
		t.Errorf("Append = %v; want an EncodeError", err)
	}
	if got := names(t, r.wait(t, 2)); got != "a1 a3" {
		t.Errorf("handed over: %s", got)
	}
}

func testStoreNamespaces(t *testing.T, s cluster.Store) {
	a, ra := openLog(t, s, "/test", "a")
	b, rb := openLog(t, s, "/other", "b")
	appendTo(t, a, entry(t, "/test", "a", 1))
	appendTo(t, b, entry(t, "/other", "b", 1))
	appendTo(t, a, entry(t, "/test", "a", 2))
	if got := names(t, ra.wait(t, 2)); got != "a1 a2" {
		t.Errorf("handed over: %s", got)
	}
	if got := names(t, rb.wait(t, 1)); got != "b1" {
		t.Errorf("handed over: %s", got)
	}
	if ms, err := b.After(t.Context(), b.Start()); err != nil || names(t, ms) != "b1" {
		t.Errorf("After = %s, %v", names(t, ms), err)
	}
	ms := ra.wait(t, 2)
	if rest, err := a.After(t.Context(), ms[1].Position); err != nil || len(rest) != 0 {
		t.Errorf("After the last = %s, %v", names(t, rest), err)
	}
}

func save(t *testing.T, l cluster.Log, r cluster.Record) cluster.Record {
	t.Helper()
	if r.TTL == 0 {
		r.TTL = time.Minute
	}
	if err := l.Save(context.Background(), []*cluster.Record{&r}); err != nil {
		t.Fatal(err)
	}
	return r
}

func wantRecord(t *testing.T, l cluster.Log, key, value string) string {
	t.Helper()
	b, version, err := l.Load(t.Context(), key)
	if err != nil || string(b) != value || (b == nil) != (value == "") {
		t.Errorf("Load(%s) = %q, %v; want %q", key, b, err, value)
	}
	return version
}

func testRecords(t *testing.T, s cluster.Store) {
	l, _ := openLog(t, s, "/test", "a")
	other, _ := openLog(t, s, "/test", "b")
	wantRecord(t, l, "k", "")
	one := save(t, l, cluster.Record{Key: "k", Value: []byte("one\x00\xff")})
	if one.Conflict || one.Version == "" {
		t.Fatalf("new record: %+v", one)
	}
	if v := wantRecord(t, other, "k", "one\x00\xff"); v != one.Version {
		t.Errorf("version %q; want %q", v, one.Version)
	}
	if r := save(t, other, cluster.Record{Key: "k", Value: []byte("two")}); !r.Conflict {
		t.Error("a record was written as new that is there")
	}
	if r := save(t, l, cluster.Record{Key: "k", Value: []byte("one\x00\xff")}); r.Conflict || r.Version != one.Version {
		t.Errorf("written again as it is: %+v", r)
	}
	two := save(t, other, cluster.Record{Key: "k", Value: []byte("two"), Version: one.Version})
	if two.Conflict {
		t.Error("not written over the version that is there")
	}
	if r := save(t, l, cluster.Record{Key: "k", Value: []byte("three"), Version: one.Version}); !r.Conflict {
		t.Error("written over another version")
	}
	if r := save(t, l, cluster.Record{Key: "k", Version: one.Version}); !r.Conflict {
		t.Error("another version deleted")
	}
	wantRecord(t, l, "k", "two")
	if r := save(t, l, cluster.Record{Key: "k", Version: two.Version}); r.Conflict {
		t.Error("not deleted")
	}
	wantRecord(t, l, "k", "")
	if r := save(t, l, cluster.Record{Key: "k", Value: []byte("four"), Version: two.Version}); !r.Conflict {
		t.Error("written over what is not there")
	}
	if r := save(t, l, cluster.Record{Key: "k", Value: []byte("five"), Version: "?", Always: true}); r.Conflict {
		t.Error("not written, always")
	}
	wantRecord(t, other, "k", "five")

	var rs []*cluster.Record
	for i := range 500 {
		rs = append(rs, &cluster.Record{Key: fmt.Sprint("many", i), Value: []byte(fmt.Sprint(i)), TTL: time.Minute})
	}
	if err := l.Save(t.Context(), rs); err != nil {
		t.Fatal(err)
	}
	for i, r := range rs {
		if r.Conflict || r.Version == "" {
			t.Fatalf("record %d: %+v", i, r)
		}
	}
	wantRecord(t, other, "many499", "499")
}

func testOneWrites(t *testing.T, s cluster.Store) {
	l, _ := openLog(t, s, "/test", "a")
	for i := range 20 {
		key := fmt.Sprint("k", i)
		r := save(t, l, cluster.Record{Key: key, Value: []byte("mine")})
		var mu sync.Mutex
		var wg sync.WaitGroup
		won := ""
		for j := range 5 {
			wg.Go(func() {
				value := fmt.Sprint("writer", j)
				if got := save(t, l, cluster.Record{Key: key, Value: []byte(value), Version: r.Version}); !got.Conflict {
					mu.Lock()
					defer mu.Unlock()
					won += value
				}
			})
		}
		wg.Wait()
		wantRecord(t, l, key, won)
	}
}

func testExpiry(t *testing.T, s cluster.Store) {
	l, _ := openLog(t, s, "/test", "a")
	r := save(t, l, cluster.Record{Key: "short", Value: []byte("x"), TTL: 200 * time.Millisecond})
	save(t, l, cluster.Record{Key: "long", Value: []byte("x"), TTL: time.Minute})
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for timeout := time.After(10 * time.Second); ; {
		if b, _, err := l.Load(t.Context(), "short"); err == nil && b == nil {
			break
		}
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatal("a record does not expire")
		}
	}
	wantRecord(t, l, "long", "x")
	if r := save(t, l, cluster.Record{Key: "short", Value: []byte("y"), Version: r.Version}); !r.Conflict {
		t.Error("written over what has expired")
	}
}
