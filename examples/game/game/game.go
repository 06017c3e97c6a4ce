// Package game is a game for several whose rules are on the server: clients say what
// they hold down, the server moves everybody 60 times a second and tells.
package game

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/sockeye-go/socketio"
)

// Options configure [Games]. Zero fields stand for their defaults.
type Options struct {
	MaxGames int           // default 1,000
	Grace    time.Duration // in which a player who dropped can come back; default 20 s
}

const (
	maxPlayers = 16
	maxName    = 24  // characters
	maxAction  = 256 // bytes
	keepOver   = 10 * time.Second
	keepIdle   = 5 * time.Minute // a game that has not begun
)

// Games are the games of a namespace.
type Games struct {
	n     *socketio.Namespace
	o     Options
	Clock Clock
	loops sync.WaitGroup

	mu    sync.Mutex
	games map[string]*Game
}

// A seat is where a socket plays.
type seat struct {
	game   *Game
	player *player
}

var playing = socketio.NewLocalKey[seat]()

// New registers the games on n.
func New(n *socketio.Namespace, o *Options) *Games {
	gs := &Games{n: n, games: make(map[string]*Game)}
	if o != nil {
		gs.o = *o
	}
	gs.o.MaxGames = cmp.Or(gs.o.MaxGames, 1000)
	gs.o.Grace = cmp.Or(gs.o.Grace, 20*time.Second)
	createGame.Handle(n, gs.create)
	joinGame.Handle(n, gs.join)
	leaveGame.Handle(n, func(_ context.Context, s *socketio.Socket, _ socketio.None) error {
		gs.leave(s, true)
		return nil
	})
	ready.Handle(n, func(_ context.Context, s *socketio.Socket, _ socketio.None) error {
		at, ok := playing.Get(s)
		if !ok {
			return errNoGame
		}
		return at.game.ready(at.player)
	})
	input.Handle(n, func(_ context.Context, s *socketio.Socket, in Input) error {
		if at, ok := playing.Get(s); ok {
			at.game.input(at.player, in)
		}
		return nil
	})
	action.Handle(n, func(_ context.Context, s *socketio.Socket, what json.RawMessage) error {
		at, ok := playing.Get(s)
		if !ok {
			return errNoGame
		}
		if len(what) > maxAction {
			return errBad
		}
		to := s.To(at.game.rooms()...)
		return acted.Emit(to, Acted{at.player.ID, what, time.Now().UnixMilli()})
	})
	listGames.Handle(n, func(context.Context, *socketio.Socket, socketio.None) ([]Listed, error) { return gs.list(), nil })
	n.OnDisconnect(func(_ context.Context, s *socketio.Socket, _ socketio.DisconnectReason) { gs.leave(s, false) })
	n.OnError(func(_ context.Context, s *socketio.Socket, err error) {
		t, known := errors.AsType[Trouble](err)
		if !known {
			t = errBad
			if _, bad := errors.AsType[*socketio.ArgumentError](err); !bad {
				slog.Error("game", "socket", s, "error", err)
			}
		}
		_ = trouble.Emit(s, t)
	})
	return gs
}

// Len returns how many games there are.
func (gs *Games) Len() int {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	return len(gs.games)
}

func (gs *Games) all() []*Game {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	return slices.Collect(maps.Values(gs.games))
}

func (gs *Games) list() []Listed {
	list := []Listed{}
	for _, g := range gs.all() {
		g.mu.Lock()
		if g.phase == waiting {
			list = append(list, Listed{g.id, len(g.players), g.max, string(g.phase)})
		}
		g.mu.Unlock()
	}
	slices.SortFunc(list, func(a, b Listed) int { return cmp.Compare(a.GameID, b.GameID) })
	return list[:min(len(list), 50)]
}

func (gs *Games) create(_ context.Context, s *socketio.Socket, in Create) error {
	most := cmp.Or(in.MaxPlayers, 4)
	if most < 1 || most > maxPlayers || in.Bots < 0 || in.Bots >= most {
		return errBad
	}
	g := &Game{id: rand.Text()[:8], all: gs, max: most, phase: waiting, stop: make(chan struct{})}
	for range Eggs {
		g.eggs = append(g.eggs, somewhere())
	}
	for i := range in.Bots {
		g.add(&player{Player: Player{ID: "bot-" + string(rune('a'+i)), Name: "bot " + string(rune('A'+i)), Ready: true}, bot: true})
	}
	gs.mu.Lock()
	if len(gs.games) >= gs.o.MaxGames {
		gs.mu.Unlock()
		return errTooMany
	}
	gs.games[g.id] = g
	gs.mu.Unlock()
	g.mu.Lock()
	g.endIn(keepIdle)
	g.mu.Unlock()
	return created.Emit(s, Created{g.id})
}

func (gs *Games) join(_ context.Context, s *socketio.Socket, in Join) error {
	gs.mu.Lock()
	g := gs.games[in.GameID]
	gs.mu.Unlock()
	if g == nil {
		return errNotFound
	}
	if at, ok := playing.Get(s); ok && at.game == g {
		return nil
	}
	gs.leave(s, true)
	p, err := g.enter(s, in)
	if err != nil {
		return err
	}
	playing.Set(s, seat{g, p})
	return nil
}

// leave takes a socket out of its game. One that was cut may come back.
func (gs *Games) leave(s *socketio.Socket, forGood bool) {
	at, ok := playing.Get(s)
	if !ok {
		return
	}
	playing.Delete(s)
	s.Leave(at.game.rooms()...)
	at.game.leave(at.player, s.ID(), forGood)
}

func (gs *Games) remove(g *Game) {
	gs.mu.Lock()
	defer gs.mu.Unlock()
	delete(gs.games, g.id)
}

// Close ends all games.
func (gs *Games) Close() {
	for _, g := range gs.all() {
		g.mu.Lock()
		g.end()
		g.mu.Unlock()
	}
	gs.loops.Wait()
}

type phase string

const (
	waiting phase = "waiting"
	running phase = "running"
	ended   phase = "over"
)

// A Game is one game. Its loop and its handlers take turns by mu, and emit while they
// hold it: emitting never blocks, and all hear of things in one order.
type Game struct {
	id   string
	all  *Games
	max  int
	stop chan struct{}

	mu      sync.Mutex
	phase   phase
	players []*player // by slot
	eggs    []Point
	tick    uint32
	key     *Frame // the last whole snapshot
	ending  *time.Timer
	gone    bool
}

type player struct {
	Player
	socket string // id; "" while away
	token  string
	keys   uint8
	seq    uint16
	age    uint8
	bot    bool
	grace  *time.Timer
}

// rooms are those of the players who get JSON, and of those who get snapshots.
func (g *Game) rooms() []string { return []string{"game:" + g.id, "snapshots:" + g.id} }

func (g *Game) to() *socketio.BroadcastOperator { return g.all.n.To(g.rooms()...) }

func (g *Game) add(p *player) {
	p.Slot = len(g.players)
	at := somewhere()
	p.X, p.Y = at.X, at.Y
	g.players = append(g.players, p)
}

func (g *Game) enter(s *socketio.Socket, in Join) (*player, error) {
	if utf8.RuneCountInString(in.Name) > maxName {
		return nil, errBad
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gone {
		return nil, errNotFound
	}
	p := g.returning(in.Token)
	switch {
	case p != nil:
		if p.grace != nil {
			p.grace.Stop()
			p.grace = nil
		}
	case g.phase != waiting:
		return nil, errRunning
	case len(g.players) >= g.max:
		return nil, errFull
	default:
		p = &player{token: rand.Text(), Player: Player{ID: s.ID(), Name: cmp.Or(in.Name, "guest")}}
		g.add(p)
	}
	p.socket, p.Away = s.ID(), false
	g.cancelEnd()
	room := g.rooms()[0]
	if in.Binary {
		room = g.rooms()[1]
	}
	return p, errors.Join(
		s.Join(room),
		state.Emit(s, State{g.id, g.list(), string(g.phase), p.ID, p.token}),
		joined.Emit(g.to(), Joined{p.ID, len(g.players), p.Player}))
}

func (g *Game) returning(token string) *player {
	if token == "" {
		return nil
	}
	i := slices.IndexFunc(g.players, func(p *player) bool { return p.token == token })
	if i < 0 {
		return nil
	}
	return g.players[i]
}

func (g *Game) list() []Player {
	list := make([]Player, len(g.players))
	for i, p := range g.players {
		list[i] = p.Player
	}
	return list
}

func (g *Game) leave(p *player, socket string, forGood bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gone || p.socket != socket { // it has come back on another socket
		return
	}
	p.socket, p.keys = "", 0
	if forGood || g.phase == ended {
		g.dismiss(p)
		return
	}
	p.Away = true
	_ = away.Emit(g.to(), p.ID) // of recipients there may be none
	p.grace = time.AfterFunc(g.all.o.Grace, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if !g.gone && p.Away {
			g.dismiss(p)
		}
	})
}

// dismiss takes a player out. While a game runs the slot stays, for the snapshots.
func (g *Game) dismiss(p *player) {
	p.Away, p.token, p.grace = true, "", nil
	if g.phase == waiting {
		g.players = slices.DeleteFunc(g.players, func(o *player) bool { return o == p })
		for i, o := range g.players {
			o.Slot = i
		}
	}
	_ = left.Emit(g.to(), p.ID)
	if !slices.ContainsFunc(g.players, func(o *player) bool { return !o.bot && o.token != "" }) {
		g.end()
		return
	}
	g.startIfReady()
}

func (g *Game) ready(p *player) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	p.Ready = true
	if g.phase == waiting {
		if err := joined.Emit(g.to(), Joined{p.ID, len(g.players), p.Player}); err != nil {
			return err
		}
	}
	g.startIfReady()
	return nil
}

func (g *Game) startIfReady() {
	if g.phase != waiting || len(g.players) < 2 || slices.ContainsFunc(g.players, func(p *player) bool { return !p.Ready }) {
		return
	}
	g.phase = running
	g.cancelEnd()
	_ = started.Emit(g.to(), Started{roundFrames}) // encodes
	g.all.loops.Go(func() { step(g.stop, &g.all.Clock, g.frame) })
}

func (g *Game) input(p *player, in Input) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if int16(in.Seq-p.seq) <= 0 && p.seq != 0 { // an older one
		return
	}
	p.keys, p.seq, p.age = in.Keys, in.Seq, 0
}

// frame moves the world by 1/60 s and tells. It reports whether the game goes on.
func (g *Game) frame() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.phase != running {
		return false
	}
	g.tick++
	for _, p := range g.players {
		if p.bot && g.tick%6 == 0 {
			p.keys = steer(Point{p.X, p.Y}, g.eggs)
		}
		at := Move(Point{p.X, p.Y}, p.keys)
		p.X, p.Y = at.X, at.Y
		if p.age < 255 {
			p.age++
		}
		for i, e := range g.eggs {
			if !(p.Away) && near(at, e) {
				p.Score++
				g.eggs[i] = somewhere()
			}
		}
	}
	g.tell()
	if g.tick >= roundFrames {
		g.finish()
	}
	return g.phase == running
}

// tell sends the frame, volatile: who is not ready for it gets the next one.
func (g *Game) tell() {
	names := g.rooms()
	if g.all.n.RoomSize(names[0]) > 0 {
		_ = update.Emit(g.all.n.To(names[0]).Volatile(), Update{g.list(), time.Now().UnixMilli()})
	}
	if g.all.n.RoomSize(names[1]) == 0 {
		return
	}
	f := &Frame{Tick: g.tick, Players: make([]PlayerState, len(g.players)), Eggs: make([]EggState, len(g.eggs))}
	for i, p := range g.players {
		f.Players[i] = PlayerState{uint16(p.X * scale), uint16(p.Y * scale), uint16(p.Score), p.seq, p.age, p.Away}
	}
	for i, e := range g.eggs {
		f.Eggs[i] = EggState{uint16(e.X * scale), uint16(e.Y * scale)}
	}
	if g.key == nil || g.tick%keyEvery == 0 || len(g.key.Players) != len(f.Players) {
		g.key = f
		_ = snapshot.Emit(g.all.n.To(names[1]).Volatile(), AppendSnapshot(nil, f, nil))
		return
	}
	_ = snapshot.Emit(g.all.n.To(names[1]).Volatile(), AppendSnapshot(nil, f, g.key))
}

func (g *Game) finish() {
	g.phase = ended
	best := g.list()
	slices.SortStableFunc(best, func(a, b Player) int { return cmp.Compare(b.Score, a.Score) })
	_ = over.Emit(g.to(), Over{best}) // encodes
	g.endIn(keepOver)
}

// endIn ends the game in a while, unless somebody comes.
func (g *Game) endIn(d time.Duration) {
	g.cancelEnd()
	g.ending = time.AfterFunc(d, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.end()
	})
}

func (g *Game) cancelEnd() {
	if g.ending != nil && g.phase == waiting {
		g.ending.Stop()
	}
}

// end takes the game away. g.mu is held: it is taken before Games.mu.
func (g *Game) end() {
	if g.gone {
		return
	}
	g.gone, g.phase = true, ended
	close(g.stop)
	if g.ending != nil {
		g.ending.Stop()
	}
	for _, p := range g.players {
		if p.grace != nil {
			p.grace.Stop()
		}
	}
	g.all.remove(g)
}
