package game

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sockeye-go/socketio/internal/lab"
	"github.com/sockeye-go/socketio/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func start(t *testing.T, o *Options, f func(*testing.T, *lab.Lab, *Games)) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		gs := New(l.Of("/"), o)
		defer gs.Close()
		f(t, l, gs)
	})
}

// arg returns the argument of the first event of this name.
func arg[T any](t *testing.T, events []string, name string) (v T) {
	t.Helper()
	for _, e := range events {
		if rest, ok := strings.CutPrefix(e, fmt.Sprintf("[%q,", name)); ok {
			if err := json.Unmarshal([]byte(strings.TrimSuffix(rest, "]")), &v); err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	t.Fatalf("no %q among %q", name, events)
	return v
}

// The conversation of the tutorials: bare ids, JSON 60 times a second.
func TestTutorial(t *testing.T) {
	start(t, nil, func(t *testing.T, l *lab.Lab, gs *Games) {
		ann, bob, eve := l.Join("/", ""), l.Join("/", ""), l.Join("/", "")
		ann.Emit("join game", "nowhere")
		ann.Want(`["error",{"code":"not_found","message":"Game not found"}]`)
		ann.Emit("create game", map[string]any{"type": "eggs", "maxPlayers": 2})
		id := arg[Created](t, ann.Take(), "game created").GameID
		ann.Emit("join game", id)
		got := ann.Take()
		if s := arg[State](t, got, "game state"); s.GameID != id || len(s.Players) != 1 || s.State != "waiting" || s.Token == "" {
			t.Errorf("state %+v", s)
		}
		bob.Emit("join game", id)
		if j := arg[Joined](t, ann.Take(), "player joined"); j.PlayerID != bob.ID || j.PlayerCount != 2 {
			t.Errorf("joined %+v", j)
		}
		eve.Emit("join game", id)
		eve.Want(`["error",{"code":"full","message":"Game is full"}]`)
		bob.Take()
		ann.Emit("player ready")
		ann.Take()
		bob.Emit("player ready")
		if got := strings.Join(ann.Take(), ""); !strings.Contains(got, `["game started",{"frames":7200}]`) {
			t.Errorf("ann got %s", got)
		}
		lab.Wait(time.Second)
		updates := ann.Take()
		if n := len(updates); n != Rate {
			t.Errorf("%d updates in a second; want %d", n, Rate)
		}
		before := arg[Update](t, updates[len(updates)-1:], "game update").Players[0]
		ann.Emit("input", 1, Right)
		lab.Wait(100 * time.Millisecond)
		updates = ann.Take()
		after := arg[Update](t, updates[len(updates)-1:], "game update").Players[0]
		if want := Move(Point{before.X, before.Y}, Right).X; after.X <= before.X && want > before.X {
			t.Errorf("x went from %v to %v", before.X, after.X)
		}
		bob.Take()
		ann.Emit("player action", map[string]string{"wave": "fin"})
		if a := arg[Acted](t, bob.Take(), "player action"); a.PlayerID != ann.ID || string(a.Action) != `{"wave":"fin"}` {
			t.Errorf("action %+v", a)
		}
		ann.Emit("leave game")
		if got := arg[string](t, bob.Take(), "player left"); got != ann.ID {
			t.Errorf("left: %s", got)
		}
		bob.Emit("leave game")
		lab.Wait(time.Second)
		if n := gs.Len(); n != 0 {
			t.Errorf("%d games are left without players", n)
		}
		tm := gs.Clock.Timing()
		if tm.Frames == 0 || tm.Late+tm.Skipped != 0 {
			t.Errorf("timing %+v", tm)
		}
	})
}

func begin(t *testing.T, l *lab.Lab, players ...*lab.Client) (id string, states []State) {
	t.Helper()
	players[0].Emit("create game", map[string]any{"maxPlayers": 8})
	id = arg[Created](t, players[0].Take(), "game created").GameID
	for _, p := range players {
		p.Emit("join game", Join{GameID: id, Binary: true})
		states = append(states, arg[State](t, p.Take(), "game state"))
	}
	for _, p := range players {
		p.Emit("player ready")
		p.Take()
	}
	return id, states
}

// A player who is cut off comes back as who they were, or not, by the time.
func TestReturn(t *testing.T) {
	start(t, &Options{Grace: 20 * time.Second}, func(t *testing.T, l *lab.Lab, gs *Games) {
		ann, bob := l.Join("/", ""), l.Join("/", "")
		id, states := begin(t, l, ann, bob)
		bob.Cut()
		if got := arg[string](t, ann.Take(), "player away"); got != bob.ID {
			t.Errorf("away: %s", got)
		}
		lab.Wait(19 * time.Second)
		ann.Take()
		again := l.Join("/", "")
		again.Emit("join game", Join{GameID: id, Binary: true, Token: states[1].Token})
		if s := arg[State](t, again.Take(), "game state"); s.You != states[1].You || s.State != "running" || len(s.Players) != 2 {
			t.Errorf("came back as %+v", s)
		}
		lab.Wait(19 * time.Second) // the first timer is of no account
		if s := strings.Join(ann.Take(), ""); strings.Contains(s, "player left") {
			t.Error("a player who came back was dismissed")
		}
		again.Cut()
		lab.Wait(21 * time.Second)
		if got := arg[string](t, ann.Take(), "player left"); got != states[1].You {
			t.Errorf("left: %s", got)
		}
		late := l.Join("/", "")
		late.Emit("join game", Join{GameID: id, Token: states[1].Token})
		late.Want(`["error",{"code":"running","message":"Game has started"}]`)
		ann.Cut()
		lab.Wait(21 * time.Second)
		if n := gs.Len(); n != 0 {
			t.Errorf("%d games are left", n)
		}
	})
}

// A game ends after two minutes, to the frame, and is collected.
func TestOver(t *testing.T) {
	start(t, nil, func(t *testing.T, l *lab.Lab, gs *Games) {
		ann := l.Join("/", "")
		ann.Emit("create game", map[string]any{"maxPlayers": 4, "bots": 3})
		id := arg[Created](t, ann.Take(), "game created").GameID
		ann.Emit("join game", Join{GameID: id, Binary: true})
		ann.Take()
		ann.Emit("player ready")
		ann.Take()
		began := time.Now()
		for time.Since(began) < 120*time.Second-time.Second/Rate {
			lab.Wait(time.Second / Rate * 10)
			ann.Take()
		}
		lab.Wait(time.Second)
		for gs.Len() != 0 && time.Since(began) < 140*time.Second {
			lab.Wait(time.Second)
		}
		if took := time.Since(began); took < 130*time.Second || took > 133*time.Second {
			t.Errorf("the game was there for %v", took)
		}
		if tm := gs.Clock.Timing(); tm.Frames < roundFrames-1 || tm.Late != 0 {
			t.Errorf("timing %+v; want %d frames", tm, roundFrames)
		}
	})
}

func TestRefusals(t *testing.T) {
	start(t, &Options{MaxGames: 1}, func(t *testing.T, l *lab.Lab, gs *Games) {
		c := l.Join("/", "")
		const bad = `["error",{"code":"bad_request","message":"Bad request"}]`
		for _, in := range []any{map[string]any{"maxPlayers": 17}, map[string]any{"maxPlayers": -1}, map[string]any{"bots": 4}, "x"} {
			c.Emit("create game", in)
			c.Want(bad)
		}
		c.Emit("player ready")
		c.Want(`["error",{"code":"no_game","message":"Join a game first"}]`)
		c.Emit("input", 1, 1)
		c.Emit("input", 70000, 1)
		c.Want(bad)
		c.Emit("create game", map[string]any{})
		c.Take()
		c.Emit("create game", map[string]any{})
		c.Want(`["error",{"code":"too_many","message":"Too many games"}]`)
		lab.Wait(keepIdle)
		if gs.Len() != 0 {
			t.Error("a game that nobody joined is kept")
		}
	})
}

// The loop keeps its rate whatever a frame takes, and does not run after what it
// missed while the program stood still.
func TestStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var clock Clock
		begin, n := time.Now(), 0
		step(make(chan struct{}), &clock, func() bool {
			n++
			switch {
			case n%10 == 0:
				time.Sleep(30 * time.Millisecond) // too long: the next make up for it
			case n == 301:
				time.Sleep(10 * time.Second) // the machine was asleep
			}
			return n < 600
		})
		took := time.Since(begin)
		want := 10*time.Second + 600*time.Second/Rate
		if took < want-300*time.Millisecond || took > want+50*time.Millisecond {
			t.Errorf("600 frames and a pause of 10 s took %v; want %v", took, want)
		}
		tm := clock.Timing()
		if tm.Frames != 599 || tm.Late < 60 || tm.Skipped < 580 || tm.Skipped > 600 {
			t.Errorf("timing %+v", tm)
		}
	})
}

func TestTimingBuckets(t *testing.T) {
	for _, d := range []time.Duration{0, time.Microsecond, 7 * time.Microsecond, 8 * time.Microsecond, 999 * time.Microsecond, 16 * time.Millisecond, time.Second} {
		end := bucketEnd(bucketOf(d))
		if end <= d || float64(end-time.Microsecond) > float64(d)*1.13+float64(time.Microsecond) {
			t.Errorf("%v is counted as %v", d, end)
		}
	}
}

func randomFrame(rnd *rand.Rand, tick uint32, base *Frame) *Frame {
	f := &Frame{Tick: tick}
	for i := range 10 {
		p := PlayerState{uint16(rnd.Uint32()), uint16(rnd.Uint32()), uint16(rnd.IntN(50)), uint16(rnd.Uint32()), uint8(rnd.Uint32()), rnd.IntN(5) == 0}
		if base != nil && rnd.IntN(2) == 0 {
			p = base.Players[i]
		}
		f.Players = append(f.Players, p)
	}
	for i := range Eggs {
		e := EggState{uint16(rnd.Uint32()), uint16(rnd.Uint32())}
		if base != nil && rnd.IntN(10) > 0 {
			e = base.Eggs[i]
		}
		f.Eggs = append(f.Eggs, e)
	}
	return f
}

func TestSnapshots(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		base := randomFrame(rnd, 30, nil)
		for tick, from := range map[uint32]*Frame{30: nil, 45: base} {
			f := randomFrame(rnd, tick, from)
			b := AppendSnapshot(nil, f, from)
			got, err := ParseSnapshot(b, from)
			if err != nil || !reflect.DeepEqual(got, f) {
				t.Fatalf("%+v\nbecame %+v, %v", f, got, err)
			}
			if from != nil {
				if _, err := ParseSnapshot(b, nil); !errors.Is(err, ErrNoBase) {
					t.Fatalf("without its base: %v", err)
				}
			}
		}
	}
}

// FuzzSnapshot: what parses encodes to a snapshot of the same frame.
func FuzzSnapshot(f *testing.F) {
	rnd := rand.New(rand.NewPCG(1, 2))
	base := randomFrame(rnd, 30, nil)
	f.Add(AppendSnapshot(nil, base, nil))
	f.Add(AppendSnapshot(nil, randomFrame(rnd, 31, base), base))
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := ParseSnapshot(b, base)
		if err != nil {
			return
		}
		// Compared as bytes: a list of nothing may be nil or empty.
		wire := AppendSnapshot(nil, first, nil)
		second, err := ParseSnapshot(wire, nil)
		if err != nil || !bytes.Equal(AppendSnapshot(nil, second, nil), wire) {
			t.Fatalf("%+v became %+v, %v", first, second, err)
		}
	})
}
