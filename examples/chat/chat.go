// Package chat is a chat server: names, rooms, who is typing, and what was said
// before one came. Everything it says and hears is declared in events.go.
package chat

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/sockeye-go/socketio"
)

// Limits of what a client may send, and of what is kept.
const (
	maxName    = 32  // characters
	maxMessage = 500 // characters
	keptPast   = 1000
	sentPast   = 50

	lobby = "lobby"
)

// A Chat is the state of one chat server. Its handlers are the only ones who
// touch it.
type Chat struct {
	now func() time.Time

	// mu is held while an event is emitted too: emitting never blocks, and who
	// enters a room then sees each message once, in the past or as it comes.
	mu    sync.Mutex
	users map[string]*user     // by socket id
	came  int                  // users so far
	past  map[string][]Message // by room
}

type user struct {
	User
	socket *socketio.Socket
	number int // of arrival: two can come in one millisecond
}

// New registers a chat on srv.
func New(srv *socketio.Server) *Chat {
	c := &Chat{now: time.Now, users: make(map[string]*user), past: make(map[string][]Message)}
	join.Handle(srv, c.join)
	say.Handle(srv, c.say)
	typing.Handle(srv, c.typing)
	enter.Handle(srv, c.enter)
	serverTime.Handle(srv, func(context.Context, *socketio.Socket, socketio.None) (int64, error) {
		return c.now().UnixMilli(), nil
	})
	srv.OnConnection(c.back)
	srv.OnDisconnect(c.leave)
	// What a handler returns is told to the one who sent the event.
	srv.OnError(func(_ context.Context, s *socketio.Socket, err error) {
		_ = trouble.Emit(s, describe(err))
	})
	return c
}

func (c *Chat) join(_ context.Context, s *socketio.Socket, in Join) error {
	name := strings.TrimSpace(in.Username)
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return Trouble{"bad_name", "a name is needed"}
	case n > maxName:
		return Trouble{"bad_name", "the name is too long"}
	}
	username.Set(s, name)
	c.mu.Lock()
	defer c.mu.Unlock()
	if u := c.users[s.ID()]; u != nil {
		u.Username = name
		return c.listUsers(s)
	}
	c.came++
	u := &user{socket: s, number: c.came, User: User{ID: s.ID(), Username: name, JoinTime: c.now().UnixMilli(), Room: lobby}}
	c.users[s.ID()] = u
	if err := s.Join(lobby); err != nil {
		return err
	}
	if err := history.Emit(s, c.recent(lobby)); err != nil {
		return err
	}
	if err := joined.Emit(s.Broadcast(), Presence{Username: name, ID: u.ID}); err != nil {
		return err
	}
	return c.listUsers(s)
}

// username is on the socket, so that it is there again when a client comes back.
var username = socketio.NewKey[string]("username")

// back receives a client whose connection broke, with its name and its room.
func (c *Chat) back(_ context.Context, s *socketio.Socket) error {
	name, ok := username.Get(s)
	if !s.Recovered() || !ok {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.came++
	u := &user{socket: s, number: c.came, User: User{ID: s.ID(), Username: name, JoinTime: c.now().UnixMilli(), Room: lobby}}
	if rooms := s.Rooms(); len(rooms) > 0 {
		u.Room = rooms[0]
	}
	c.users[s.ID()] = u
	return c.listUsers(s)
}

func (c *Chat) say(_ context.Context, s *socketio.Socket, in Say) error {
	switch n := utf8.RuneCountInString(in.Message); {
	case strings.TrimSpace(in.Message) == "":
		return Trouble{"bad_message", "Invalid message format"}
	case n > maxMessage:
		return Trouble{"bad_message", "Message too long"}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	u := c.users[s.ID()]
	if u == nil {
		return errStranger
	}
	m := Message{
		ID: s.ID() + "-" + base36(c.now().UnixNano()), Username: u.Username, Message: in.Message,
		Timestamp: c.now().UnixMilli(), Room: u.Room,
	}
	past := append(c.past[u.Room], m)
	if len(past) > keptPast {
		past = slices.Delete(past, 0, len(past)-keptPast)
	}
	c.past[u.Room] = past
	u.IsTyping = false
	return said.Emit(s.Namespace().To(u.Room), m)
}

func (c *Chat) typing(_ context.Context, s *socketio.Socket, is bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	u := c.users[s.ID()]
	if u == nil {
		return errStranger
	}
	u.IsTyping = is
	return typingNow.Emit(s.To(u.Room), Typing{Username: u.Username, IsTyping: is})
}

// enter moves a user to another room, which is made by entering it.
func (c *Chat) enter(_ context.Context, s *socketio.Socket, room string) ([]Message, error) {
	room = strings.TrimSpace(room)
	if n := utf8.RuneCountInString(room); n == 0 || n > maxName {
		return nil, Trouble{"bad_room", "a room needs a name of at most 32 characters"}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	u := c.users[s.ID()]
	if u == nil {
		return nil, errStranger
	}
	old := u.Room
	s.Leave(old)
	if err := s.Join(room); err != nil {
		return nil, err
	}
	u.Room, u.IsTyping = room, false
	c.forget(old)
	return c.recent(room), c.listUsers(s)
}

func (c *Chat) leave(_ context.Context, s *socketio.Socket, _ socketio.DisconnectReason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	u := c.users[s.ID()]
	if u == nil {
		return
	}
	delete(c.users, s.ID())
	c.forget(u.Room)
	_ = left.Emit(s.Broadcast(), Presence{Username: u.Username, ID: u.ID})
	_ = c.listUsers(s)
}

// forget drops the past of a room when the last user has left it, so that rooms
// cost nothing once they are empty.
func (c *Chat) forget(room string) {
	if room == lobby {
		return
	}
	for _, u := range c.users {
		if u.Room == room {
			return
		}
	}
	delete(c.past, room)
}

func (c *Chat) recent(room string) []Message {
	past := c.past[room]
	return append([]Message{}, past[max(0, len(past)-sentPast):]...)
}

// listUsers tells everybody who is there, in order of arrival.
func (c *Chat) listUsers(s *socketio.Socket) error {
	present := slices.SortedFunc(maps.Values(c.users), func(a, b *user) int { return cmp.Compare(a.number, b.number) })
	list := make([]User, len(present))
	for i, u := range present {
		list[i] = u.User
	}
	return users.Emit(s.Namespace(), list)
}
