// Package chat is a chat server: names, rooms, who is typing, and what was said
// before one came. Everything it says and hears is declared in events.go.
package chat

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
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
	said  int                  // messages so far
	past  map[string][]Message // by room
}

type user struct {
	User
	number int // of arrival: two can come in one millisecond
}

// self is who a socket is. Data of a socket survives a cut: recovery brings it back.
var self = socketio.NewKey[User]("user")

// New registers a chat on n.
func New(n *socketio.Namespace) *Chat {
	c := &Chat{now: time.Now, users: make(map[string]*user), past: make(map[string][]Message)}
	join.Handle(n, c.join)
	say.Handle(n, c.say)
	edit.Handle(n, c.edit)
	remove.Handle(n, c.remove)
	whisper.Handle(n, c.whisper)
	typing.Handle(n, c.typing)
	enter.Handle(n, c.enter)
	serverTime.Handle(n, func(context.Context, *socketio.Socket, socketio.None) (int64, error) {
		return c.now().UnixMilli(), nil
	})
	n.OnConnection(c.comeBack)
	n.OnDisconnect(c.leave)
	// What a handler returns is told to the one who sent the event.
	n.OnError(func(_ context.Context, s *socketio.Socket, err error) {
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
	c.mu.Lock()
	defer c.mu.Unlock()
	if u := c.users[s.ID()]; u != nil {
		u.Username = name
		self.Set(s, u.User)
		return c.listUsers(s)
	}
	if err := s.Join(lobby); err != nil {
		return err
	}
	if err := history.Emit(s, c.recent(lobby)); err != nil {
		return err
	}
	return c.arrive(s, User{ID: s.ID(), Username: name, JoinTime: c.now().UnixMilli(), Room: lobby})
}

// arrive adds a user and tells all. c.mu is held.
func (c *Chat) arrive(s *socketio.Socket, u User) error {
	c.came++
	c.users[u.ID] = &user{number: c.came, User: u}
	self.Set(s, u)
	if err := joined.Emit(s.Broadcast(), Presence{Username: u.Username, ID: u.ID}); err != nil {
		return err
	}
	return c.listUsers(s)
}

// comeBack is called for each connection. One that was recovered has the id, the
// rooms and the data that it had, and its client gets what it missed: there is no
// history to send, only the list of users to mend.
func (c *Chat) comeBack(_ context.Context, s *socketio.Socket) error {
	u, known := self.Get(s)
	if !s.Recovered() || !known {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.arrive(s, u)
}

func (c *Chat) say(_ context.Context, s *socketio.Socket, in Say) error {
	if err := check(in.Message); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	u := c.users[s.ID()]
	if u == nil {
		return errStranger
	}
	c.said++
	m := Message{
		ID: strconv.Itoa(c.said), Username: u.Username, UserID: u.ID, Message: in.Message,
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

func check(message string) error {
	if strings.TrimSpace(message) == "" {
		return Trouble{"bad_message", "Invalid message format"}
	}
	if utf8.RuneCountInString(message) > maxMessage {
		return Trouble{"bad_message", "Message too long"}
	}
	return nil
}

func (c *Chat) edit(_ context.Context, s *socketio.Socket, in Edit) error {
	if err := check(in.Message); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	room, i := c.own(s, in.ID)
	if i < 0 {
		return errNotYours
	}
	m := &c.past[room][i]
	m.Message, m.Edited = in.Message, true
	return edited.Emit(s.Namespace().To(room), *m)
}

func (c *Chat) remove(_ context.Context, s *socketio.Socket, id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	room, i := c.own(s, id)
	if i < 0 {
		return errNotYours
	}
	c.past[room] = slices.Delete(c.past[room], i, i+1)
	return removed.Emit(s.Namespace().To(room), Removed{id})
}

// own finds a message of s in its room, among those that are kept. c.mu is held.
func (c *Chat) own(s *socketio.Socket, id string) (room string, i int) {
	u := c.users[s.ID()]
	if u == nil {
		return "", -1
	}
	return u.Room, slices.IndexFunc(c.past[u.Room], func(m Message) bool { return m.ID == id && m.UserID == u.ID })
}

// whisper goes to one, in whatever room they are, and is kept nowhere. The id of a
// socket is a room.
func (c *Chat) whisper(_ context.Context, s *socketio.Socket, in Whisper) error {
	if err := check(in.Message); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	from, to := c.users[s.ID()], c.users[in.To]
	switch {
	case from == nil:
		return errStranger
	case to == nil:
		return errNobody
	}
	return whispered.Emit(s.Namespace().To(from.ID, to.ID), Whispered{from.User, to.User, in.Message, c.now().UnixMilli()})
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
	self.Set(s, u.User)
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
