package ot

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func ins(p int, text string) Op { return Op{Type: Insert, Position: p, Text: text} }
func del(p, n int) Op           { return Op{Type: Delete, Position: p, Length: n} }

func apply(t *testing.T, s string, lists ...[]Op) string {
	t.Helper()
	text := NewText(s)
	for _, ops := range lists {
		for _, op := range ops {
			if err := text.Apply(op); err != nil {
				t.Fatalf("apply %+v of %+v to %q: %v", op, lists, s, err)
			}
		}
	}
	return text.String()
}

// TestTransformAll goes through all pairs of operations on a small text: either order
// ends in the same.
func TestTransformAll(t *testing.T) {
	const s = "abcde"
	var all []Op
	for p := range len(s) + 1 {
		all = append(all, ins(p, "X"), ins(p, "YZ"))
		for n := 1; p+n <= len(s); n++ {
			all = append(all, del(p, n))
		}
	}
	for _, a := range all {
		for _, b := range all {
			a2, b2 := Transform([]Op{a}, []Op{b})
			one, other := apply(t, s, []Op{a}, b2), apply(t, s, []Op{b}, a2)
			if one != other {
				t.Fatalf("%+v and %+v: %q and %q", a, b, one, other)
			}
			for _, o := range []Op{a, b} {
				if o.Type == Insert && !strings.Contains(one, o.Text) {
					t.Fatalf("%+v and %+v: %q has lost %q", a, b, one, o.Text)
				}
			}
		}
	}
}

func TestTransform(t *testing.T) {
	for _, test := range []struct {
		name, text string
		a, b       Op // b was first
		want       string
	}{
		{"two inserts at one place", "ab", ins(1, "later"), ins(1, "first"), "afirstlaterb"},
		{"into what is deleted", "abcdef", del(1, 4), ins(3, "X"), "aXf"},
		{"the same deleted twice", "abc", del(1, 1), del(1, 1), "ac"},
		{"overlapping", "abcdef", del(1, 3), del(2, 3), "af"},
		{"surrogates", "a🐟b", ins(3, "X"), del(1, 2), "aXb"},
	} {
		a2, _ := Transform([]Op{test.a}, []Op{test.b})
		if got := apply(t, test.text, []Op{test.b}, a2); got != test.want {
			t.Errorf("%s: %q; want %q", test.name, got, test.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, test := range []struct {
		op   Op
		seen int
		want error
	}{
		{Op{}, 0, ErrBadOp},
		{Op{Type: "insret", Text: "x"}, 0, ErrBadOp},
		{ins(0, ""), 0, ErrBadOp},
		{ins(-1, "x"), 0, ErrBadOp},
		{Op{Type: Insert, Text: "x", Length: 3}, 0, ErrBadOp},
		{del(0, 0), 0, ErrBadOp},
		{del(0, -1), 0, ErrBadOp},
		{ins(0, "x"), 1, ErrBadOp},
		{ins(0, "x"), -1, ErrBadOp},
		{ins(6, "x"), 0, ErrOutside},
		{del(4, 2), 0, ErrOutside},
		{del(1<<62, 1<<62), 0, ErrOutside},
		{del(0, 1<<63-1), 0, ErrOutside},
		{ins(2, "x"), 0, ErrSplits},
		{del(0, 2), 0, ErrSplits},
		{ins(0, strings.Repeat("x", MaxLength)), 0, ErrTooLong},
	} {
		d := NewDocument("a🐟bc", 0)
		if _, err := d.Join("s", "").Do(test.op, test.seen, 0); !errors.Is(err, test.want) {
			t.Errorf("%.80v: %v; want %v", fmt.Sprint(test.op), err, test.want)
		}
		if d.Text.String() != "a🐟bc" || d.Version() != 0 {
			t.Errorf("%.80v changed the document", fmt.Sprint(test.op))
		}
	}
}

// Who has seen nothing of a thousand operations still goes on; one more is too many.
func TestHistory(t *testing.T) {
	for _, n := range []int{KeptHistory, 2*KeptHistory + 2} {
		d := NewDocument("", 0)
		slow, fast := d.Join("slow", ""), d.Join("fast", "")
		for i := range n {
			if _, err := fast.Do(ins(i, "x"), i, 0); err != nil {
				t.Fatal(err)
			}
		}
		_, err := slow.Do(ins(0, "y"), 0, 0)
		if n == KeptHistory && err != nil || n > KeptHistory && !errors.Is(err, ErrTooFar) {
			t.Errorf("%d behind: %v", n, err)
		}
	}
}

// Who falls behind, says so, and falls behind again is as far behind as it is now: what
// it has seen since does not count.
func TestBehindAgain(t *testing.T) {
	d := NewDocument("", 0)
	slow, fast := d.Join("slow", ""), d.Join("fast", "")
	for round := range 3 {
		begin := d.Version()
		for range KeptHistory {
			if _, err := fast.Do(ins(0, "x"), d.Version(), 0); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := slow.Do(ins(0, "y"), begin, 0); err != nil {
			t.Fatalf("round %d, %d behind: %v", round, d.Version()-begin, err)
		}
	}
}

// Who never says what it has seen, and types on, does not make the server keep more and
// more for it: each of its characters cuts what another deleted into one more piece.
func TestPiecesAreBounded(t *testing.T) {
	const long = 3 * KeptHistory
	d := NewDocument(strings.Repeat("x", long), 0)
	blind, other := d.Join("blind", ""), d.Join("other", "")
	if _, err := other.Do(del(0, long), 0, 0); err != nil {
		t.Fatal(err)
	}
	for i := range long - 1 {
		_, err := blind.Do(ins(2*i+1, "y"), 0, 0)
		switch behind := d.Version(); { // before this one, if it was refused
		case err == nil:
		case !errors.Is(err, ErrTooFar):
			t.Fatal(err)
		case behind <= KeptHistory:
			t.Fatalf("refused %d behind", behind)
		default:
			return
		}
	}
	t.Errorf("%d pieces are kept", len(blind.unseen[0].ops))
}

// A world is a document, its clients, and a network that brings messages late and
// loses what is on its way when it cuts a client off.
type world struct {
	t       *testing.T
	rnd     *rand.Rand
	doc     *Document
	clients []*site
	next    rune

	inserted, deleted map[rune]int
}

type site struct {
	*Client
	name    string
	session *Session
	up      []Sent
	down    []any // Done or answered
}

type answered struct{ seq, version int }

func newWorld(t *testing.T, rnd *rand.Rand, n int) *world {
	w := &world{t: t, rnd: rnd, doc: NewDocument("", 0), next: 'a', inserted: map[rune]int{}, deleted: map[rune]int{}}
	for i := range n {
		name := fmt.Sprint("client", i)
		w.clients = append(w.clients, &site{Client: NewClient(name, "", 0), name: name, session: w.doc.Join(name, name)})
	}
	return w
}

// fresh makes a text of characters that nobody has used.
func (w *world) fresh(n int) string {
	var b strings.Builder
	for range n {
		if w.next++; w.next == 0xd800 {
			w.next = 0x1f400 // on with pairs of surrogates
		}
		b.WriteRune(w.next)
	}
	return b.String()
}

func (w *world) step() {
	c := w.clients[w.rnd.IntN(len(w.clients))]
	switch k := w.rnd.IntN(20); {
	case k < 8:
		w.edit(c)
	case k == 8:
		w.undo(c)
	case k < 13:
		w.upward(c)
	case k < 19:
		w.downward(c)
	default:
		w.cut(c)
	}
}

// place finds a position that splits no character.
func (w *world) place(c *site) int {
	for {
		if p := w.rnd.IntN(c.Text.Len() + 1); !c.Text.splits(p) {
			return p
		}
	}
}

func (w *world) edit(c *site) {
	op := ins(w.place(c), w.fresh(1+w.rnd.IntN(4)))
	if from, to := w.place(c), w.place(c); from < to && w.rnd.IntN(2) == 0 {
		op = del(from, min(to-from, 1+w.rnd.IntN(12)))
		if c.Text.splits(op.Position + op.Length) {
			op.Length++
		}
	}
	w.account(c, op)
	sent, err := c.Edit(op)
	if err != nil {
		w.t.Fatalf("%s: edit %+v: %v", c.name, op, err)
	}
	c.up = append(c.up, sent)
}

// account remembers what is inserted, and what is deleted by somebody who saw it.
func (w *world) account(c *site, op Op) {
	if op.Type == Insert {
		for _, r := range op.Text {
			w.inserted[r]++
		}
		return
	}
	for _, r := range c.Text.slice(op.Position, op.Position+op.Length) {
		w.deleted[r]++
	}
}

func (w *world) undo(c *site) {
	before := c.Text.String()
	sent, err := c.Undo()
	if err != nil {
		w.t.Fatalf("%s: undo: %v", c.name, err)
	}
	replay := &site{Client: NewClient("", before, 0)}
	for _, s := range sent {
		w.account(replay, s.Op)
		if err := replay.Text.Apply(s.Op); err != nil {
			w.t.Fatal(err)
		}
	}
	c.up = append(c.up, sent...)
}

func (w *world) upward(c *site) {
	if len(c.up) == 0 {
		return
	}
	sent := c.up[0]
	c.up = c.up[1:]
	done, err := c.session.Do(sent.Op, sent.Seen, sent.Seq)
	if err != nil {
		w.t.Fatalf("%s: %+v: %v", c.name, sent, err)
	}
	for _, other := range w.clients {
		if other == c {
			c.down = append(c.down, answered{sent.Seq, w.doc.Version()})
			continue
		}
		for _, d := range done {
			other.down = append(other.down, d)
		}
	}
}

func (w *world) downward(c *site) {
	if len(c.down) == 0 {
		return
	}
	m := c.down[0]
	c.down = c.down[1:]
	switch m := m.(type) {
	case Done:
		if err := c.Receive(m); err != nil {
			w.t.Fatalf("%s: receive %+v: %v", c.name, m, err)
		}
	case answered:
		c.Answered(m.seq, m.version)
	}
}

// cut loses what is on its way; the client comes back and goes on.
func (w *world) cut(c *site) {
	for range w.rnd.IntN(len(c.up) + 1) {
		w.upward(c) // so much still arrives, and its answer does not
	}
	c.up, c.down = nil, nil
	missed, ok := w.doc.Since(c.Version())
	if !ok {
		w.t.Fatalf("%s: cannot go on from %d at %d", c.name, c.Version(), w.doc.Version())
	}
	old := c.session
	c.session = w.doc.Join(c.name, c.name)
	old.Leave()
	for _, d := range missed {
		if err := c.Receive(d); err != nil {
			w.t.Fatalf("%s: after a cut, receive %+v: %v", c.name, d, err)
		}
	}
	c.up = c.Again()
}

// settle lets everything arrive and checks what must hold then.
func (w *world) settle() {
	for busy := true; busy; {
		busy = false
		for _, c := range w.clients {
			busy = busy || len(c.up)+len(c.down) > 0
			w.upward(c)
			w.downward(c)
		}
	}
	want := w.doc.Text.String()
	for _, c := range w.clients {
		if got := c.Text.String(); got != want {
			w.t.Fatalf("%s sees %q; the server has %q", c.name, got, want)
		}
		if c.Pending() != 0 || c.Version() != w.doc.Version() {
			w.t.Fatalf("%s: %d pending at version %d of %d", c.name, c.Pending(), c.Version(), w.doc.Version())
		}
	}
	seen := map[rune]int{}
	for _, r := range want {
		seen[r]++
	}
	for r := range w.inserted {
		n := w.inserted[r]
		switch {
		case w.deleted[r] == 0 && seen[r] != n:
			w.t.Fatalf("%q was inserted %d times, deleted by nobody, and is there %d times", r, n, seen[r])
		case n == 1 && w.deleted[r] > 0 && seen[r] > 0:
			w.t.Fatalf("%q was deleted and is there", r)
		case seen[r] > n:
			w.t.Fatalf("%q is doubled", r)
		}
		delete(seen, r)
	}
	if len(seen) > 0 {
		w.t.Fatalf("nobody inserted %v", seen)
	}
}

// TestConverge is the promise: whatever N clients do, and however late and broken the
// network is, all end with the same text, and no character is lost or doubled.
func TestConverge(t *testing.T) {
	rounds := uint64(400)
	if testing.Short() {
		rounds = 50
	}
	for seed := range rounds {
		rnd := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t, rnd, 2+rnd.IntN(5))
		for range 3 {
			for range 120 {
				w.step()
			}
			w.settle()
		}
	}
}

// TestConvergeFarBehind is the promise at its edge: clients who type on and hear of
// nothing for up to the whole kept history, again and again, are never refused.
func TestConvergeFarBehind(t *testing.T) {
	rounds := uint64(2)
	if testing.Short() {
		rounds = 1
	}
	for seed := range rounds {
		rnd := rand.New(rand.NewPCG(seed, 3))
		w := newWorld(t, rnd, 3)
		slow, most := w.clients[0], 0
		for w.doc.Version() < 3*KeptHistory {
			switch k := rnd.IntN(30); {
			case k == 0 && w.doc.Version()-slow.Version() < KeptHistory-2:
				w.edit(slow)
				w.upward(slow)
				most = max(most, w.doc.Version()-slow.Version())
			case w.doc.Version()-slow.Version() >= KeptHistory-2:
				for range 1 + rnd.IntN(len(slow.down)) {
					w.downward(slow)
				}
			default:
				c := w.clients[1+rnd.IntN(2)]
				w.edit(c)
				for len(c.up) > 0 {
					w.upward(c)
				}
				for range rnd.IntN(4) {
					w.downward(c)
				}
			}
		}
		w.settle()
		if most < KeptHistory*9/10 {
			t.Errorf("seed %d: nobody was further behind than %d", seed, most)
		}
	}
}

// FuzzConverge lets the fuzzer choose every step.
func FuzzConverge(f *testing.F) {
	f.Add([]byte("aaaaaaaabbbbccccdddd"), uint64(1))
	f.Add([]byte{0, 1, 2, 19, 40, 0, 19, 39, 59}, uint64(7))
	f.Fuzz(func(t *testing.T, steps []byte, seed uint64) {
		w := newWorld(t, rand.New(rand.NewPCG(seed, 2)), 3)
		for _, b := range steps[:min(len(steps), 400)] {
			c := w.clients[int(b)%3]
			switch b / 3 % 6 {
			case 0, 1:
				w.edit(c)
			case 2:
				w.upward(c)
			case 3:
				w.downward(c)
			case 4:
				w.cut(c)
			case 5:
				w.undo(c)
			}
		}
		w.settle()
	})
}

// FuzzDo: no operation of a stranger panics, and what is refused changes nothing.
func FuzzDo(f *testing.F) {
	f.Add("insert", 0, "x", 0, 0)
	f.Add("delete", 1, "", 3, 2)
	f.Fuzz(func(t *testing.T, typ string, position int, text string, length, seen int) {
		d := NewDocument("a🐟bc", 0)
		other := d.Join("other", "")
		if _, err := other.Do(ins(1, "é🐠"), 0, 0); err != nil {
			t.Fatal(err)
		}
		if _, err := other.Do(del(0, 1), 1, 0); err != nil {
			t.Fatal(err)
		}
		s := d.Join("s", "")
		s.upTo, s.seen = 0, 0
		before := d.Text.String()
		done, err := s.Do(Op{Type: typ, Position: position, Text: text, Length: length}, seen, 0)
		if err != nil && (d.Text.String() != before || d.Version() != 2) {
			t.Errorf("refused with %v, and %q became %q", err, before, d.Text.String())
		}
		if err == nil && d.Version() != 2+len(done) {
			t.Errorf("version %d after %v", d.Version(), done)
		}
		if strings.ContainsRune(d.Text.String(), 0xfffd) && !strings.ContainsRune(strings.ToValidUTF8(text, "\ufffd"), 0xfffd) {
			t.Errorf("a character is split: %q", d.Text.String())
		}
	})
}

func TestSameClientTwice(t *testing.T) {
	d := NewDocument("", 0)
	old := d.Join("a", "tab")
	if _, err := old.Do(ins(0, "x"), 0, 1); err != nil {
		t.Fatal(err)
	}
	now := d.Join("b", "tab")
	if _, err := old.Do(ins(0, "y"), 0, 2); !errors.Is(err, ErrReplaced) {
		t.Errorf("the old connection: %v", err)
	}
	if done, err := now.Do(ins(0, "x"), 1, 1); err != nil || len(done) != 0 {
		t.Errorf("the same operation again: %v, %v", done, err)
	}
	if got := d.Text.String(); got != "x" {
		t.Errorf("text %q", got)
	}
	if done, ok := d.Since(0); !ok || !slices.EqualFunc(done, []int{1}, func(d Done, v int) bool { return d.Version == v }) {
		t.Errorf("since 0: %v, %v", done, ok)
	}
}

// BenchmarkDo is one operation of one of 50 who have not seen the last 49.
func BenchmarkDo(b *testing.B) {
	d := NewDocument(strings.Repeat("y", 100), 0)
	sessions := make([]*Session, 50)
	for i := range sessions {
		sessions[i] = d.Join(fmt.Sprint(i), "")
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		op := ins(0, "x")
		if i%2 == 1 {
			op = del(0, 1)
		}
		if _, err := sessions[i%50].Do(op, max(0, d.Version()-49), 0); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
