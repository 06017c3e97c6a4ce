package game

import (
	"encoding/json"

	"github.com/sockeye-go/socketio"
)

// What clients send.
var (
	createGame = socketio.NewEvent[Create]("create game")
	joinGame   = socketio.NewEvent[Join]("join game")
	leaveGame  = socketio.NewEvent[socketio.None]("leave game")
	ready      = socketio.NewEvent[socketio.None]("player ready")
	action     = socketio.NewEvent[json.RawMessage]("player action")
	input      = socketio.NewEvent[Input]("input")
	listGames  = socketio.NewEventWithAck[socketio.None, []Listed]("list games")
)

// What the server sends.
var (
	created  = socketio.NewEvent[Created]("game created")
	joined   = socketio.NewEvent[Joined]("player joined")
	state    = socketio.NewEvent[State]("game state")
	started  = socketio.NewEvent[Started]("game started")
	update   = socketio.NewEvent[Update]("game update")
	snapshot = socketio.NewEvent[[]byte]("snapshot")
	acted    = socketio.NewEvent[Acted]("player action")
	left     = socketio.NewEvent[string]("player left") // the id of a player
	away     = socketio.NewEvent[string]("player away")
	over     = socketio.NewEvent[Over]("game over")
	trouble  = socketio.NewEvent[Trouble]("error")
)

// A Create asks for a new game.
type Create struct {
	Type       string `json:"type"`
	MaxPlayers int    `json:"maxPlayers"` // default 4
	Bots       int    `json:"bots"`
}

// A Created says where it is.
type Created struct {
	GameID string `json:"gameId"`
}

// A Join wants to play. A bare string is the id of the game.
type Join struct {
	GameID string `json:"gameId"`
	Name   string `json:"name"`
	// Binary asks for snapshots in place of "game update".
	Binary bool `json:"binary"`
	// Token is that of a player who was here before.
	Token string `json:"token"`
}

// UnmarshalJSON takes a string for the id of a game.
func (j *Join) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &j.GameID)
	}
	type plain Join
	return json.Unmarshal(b, (*plain)(j))
}

// An Input is what a player holds down from now on: emit("input", seq, keys).
type Input struct {
	socketio.Positional
	Seq  uint16
	Keys uint8
}

// A Joined tells of a player who came, or came back.
type Joined struct {
	PlayerID    string `json:"playerId"`
	PlayerCount int    `json:"playerCount"`
	Player      Player `json:"player"`
}

// A Player is one of a game.
type Player struct {
	ID    string  `json:"id"`
	Name  string  `json:"name"`
	Slot  int     `json:"slot"` // in snapshots
	X     float64 `json:"x"`
	Y     float64 `json:"y"`
	Score int     `json:"score"`
	Ready bool    `json:"ready"`
	Away  bool    `json:"away,omitempty"`
}

// A State is a game as somebody comes in.
type State struct {
	GameID  string   `json:"gameId"`
	Players []Player `json:"players"`
	State   string   `json:"state"` // "waiting", "running" or "over"
	You     string   `json:"you"`
	Token   string   `json:"token"` // by which you can come back
}

// A Started tells that it begins.
type Started struct {
	Frames int `json:"frames"` // so many, 60 a second
}

// An Update is the world 60 times a second.
type Update struct {
	Players   []Player `json:"players"`
	Timestamp int64    `json:"timestamp"`
}

// An Acted is what another player did.
type Acted struct {
	PlayerID  string          `json:"playerId"`
	Action    json.RawMessage `json:"action"`
	Timestamp int64           `json:"timestamp"`
}

// An Over is the end of a game.
type Over struct {
	Players []Player `json:"players"` // the best first
}

// A Listed is a game that one could join.
type Listed struct {
	GameID     string `json:"gameId"`
	Players    int    `json:"players"`
	MaxPlayers int    `json:"maxPlayers"`
	State      string `json:"state"`
}

// A Trouble is an error for whoever caused it.
type Trouble struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (t Trouble) Error() string { return t.Message }

var (
	errNotFound = Trouble{"not_found", "Game not found"}
	errFull     = Trouble{"full", "Game is full"}
	errRunning  = Trouble{"running", "Game has started"}
	errTooMany  = Trouble{"too_many", "Too many games"}
	errBad      = Trouble{"bad_request", "Bad request"}
	errNoGame   = Trouble{"no_game", "Join a game first"}
)
