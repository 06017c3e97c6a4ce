package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/sockeye-go/socketio"
)

// An Answer is what the sender of an event that was refused gets.
type Answer uint8

const (
	// AnswerError is an error in the ack, or where none is wanted the event
	// "error"; of the latter one until an event is let through again, so that a
	// flood is not answered by another.
	AnswerError Answer = iota
	// AnswerNothing drops the event. Who waits for an ack gets an error still.
	AnswerNothing
	// AnswerCut is AnswerError for the first, and closes the connection.
	AnswerCut
)

// EventOptions configure [Events]. Zero fields stand for their defaults.
type EventOptions struct {
	// PerSocket is the rate of all events of one socket together.
	PerSocket Rate
	// PerEvent is the rate of single events of one socket, by name.
	PerEvent map[string]Rate
	// SkipSuccessful counts only those whose handler returned an error.
	SkipSuccessful bool

	// User makes the sockets of one user, or any other circle, share their
	// budgets; they are then kept in Store. Default: each socket has its own,
	// for which no store is asked.
	User func(*socketio.Socket) string
	// Store keeps the budgets of users. Default a [Memory].
	Store Store
	// FailClosed refuses events while Store cannot be asked.
	FailClosed bool

	// Answer is what the sender gets.
	Answer Answer
	// CutAfter closes the connection of a socket at so many refusals in a row.
	// Default 0: never.
	CutAfter int
	// OnLimited is told of each refusal. It must not block.
	OnLimited func(s *socketio.Socket, event string, retryAfter time.Duration)
	// Logger is told when Store cannot be asked. Default slog.Default().
	Logger *slog.Logger
}

// Events bounds how much a socket sends. It is safe for concurrent use. A socket
// costs some 200 bytes.
type Events struct {
	o     EventOptions
	clock clock
	state socketio.LocalKey[*sender]
	count counter
}

// A sender is the state of one socket.
type sender struct {
	mu      sync.Mutex // errors of Concurrent handlers come beside events
	all     Budget
	each    map[string]*Budget
	refused int // in a row
}

var trouble = socketio.NewEvent[Limited]("error")

// NewEvents panics with the field's name on options that make no sense.
func NewEvents(o *EventOptions) *Events {
	e := &Events{o: *o, clock: startClock(), state: socketio.NewLocalKey[*sender]()}
	e.o.PerSocket.check("EventOptions.PerSocket")
	e.o.PerEvent = maps.Clone(o.PerEvent)
	for name, r := range e.o.PerEvent {
		r.check(fmt.Sprintf("EventOptions.PerEvent[%q]", name))
	}
	if o.CutAfter < 0 {
		panic(fmt.Sprintf("ratelimit: EventOptions.CutAfter: %d is negative", o.CutAfter))
	}
	if o.Answer > AnswerCut {
		panic(fmt.Sprintf("ratelimit: EventOptions.Answer: there is no %d", o.Answer))
	}
	if o.User != nil && o.Store == nil {
		e.o.Store = NewMemory(0)
	}
	if o.Logger == nil {
		e.o.Logger = slog.Default()
	}
	return e
}

// Protect counts the events of n before its handlers get them. Call it before
// other event middleware is registered.
func (e *Events) Protect(n Namespace) {
	n.Use(func(_ context.Context, s *socketio.Socket) error {
		e.state.Set(s, new(sender))
		return nil
	})
	n.UseEvents(e.event)
}

// Stats returns what was counted.
func (e *Events) Stats() Stats { return e.count.stats() }

func (e *Events) event(ctx context.Context, s *socketio.Socket, m *socketio.Message) error {
	state, ok := e.state.Get(s)
	if !ok {
		return nil
	}
	res := e.take(ctx, s, state, m.Event())
	if res.OK {
		e.count.allowed.Add(1)
		if e.o.SkipSuccessful {
			m.OnHandled(func(err error) {
				if err == nil {
					e.giveBack(s, state, m.Event())
				}
			})
		}
		return nil
	}
	e.count.refused.Add(1)
	if e.o.OnLimited != nil {
		e.o.OnLimited(s, m.Event(), res.RetryAfter)
	}
	state.mu.Lock()
	state.refused++
	row := state.refused
	state.mu.Unlock()
	answer := limited(m.Event(), res.RetryAfter)
	refusal := errors.Join(socketio.ErrHandled, &socketio.AckError{Code: answer.Code, Message: answer.Message, Data: answer})
	if row == 1 && !m.WantsAck() && e.o.Answer != AnswerNothing {
		_ = trouble.Emit(s, answer)
	}
	if e.o.Answer == AnswerCut || e.o.CutAfter > 0 && row >= e.o.CutAfter {
		s.Disconnect(true)
	}
	return refusal
}

// take spends an event of both budgets, of neither if one has nothing left.
func (e *Events) take(ctx context.Context, s *socketio.Socket, state *sender, event string) Result {
	one := e.o.PerEvent[event]
	if e.o.User != nil {
		return e.takeShared(ctx, e.o.User(s), event, one)
	}
	state.mu.Lock()
	defer state.mu.Unlock()
	now := e.clock.now()
	own := state.budget(event, one)
	if res, full := state.all.Full(e.o.PerSocket, now); full {
		return res
	}
	if res := own.Take(one, now); !res.OK {
		return res
	}
	state.all.Take(e.o.PerSocket, now)
	state.refused = 0
	return Result{OK: true}
}

// budget is that of an event, which has one only if there is a rate for it: names
// come from the client.
func (state *sender) budget(event string, r Rate) *Budget {
	if r.none() {
		return new(Budget)
	}
	b := state.each[event]
	if b == nil {
		if state.each == nil {
			state.each = make(map[string]*Budget)
		}
		b = new(Budget)
		state.each[event] = b
	}
	return b
}

func (e *Events) takeShared(ctx context.Context, user, event string, one Rate) Result {
	res := e.ask(ctx, user, e.o.PerSocket)
	if !res.OK || one.none() {
		return res
	}
	if res = e.ask(ctx, user+"\x00"+event, one); !res.OK && !e.o.PerSocket.none() {
		_ = e.o.Store.Return(ctx, user, e.o.PerSocket) // it fades by itself too
	}
	return res
}

func (e *Events) giveBack(s *socketio.Socket, state *sender, event string) {
	one := e.o.PerEvent[event]
	if e.o.User != nil {
		// The context of the socket may be over, and the budget is not only its own.
		ctx, user := context.Background(), e.o.User(s)
		_ = e.o.Store.Return(ctx, user, e.o.PerSocket) // it fades by itself too
		_ = e.o.Store.Return(ctx, user+"\x00"+event, one)
		return
	}
	state.mu.Lock()
	defer state.mu.Unlock()
	state.all.Return(e.o.PerSocket)
	state.budget(event, one).Return(one)
}

func (e *Events) ask(ctx context.Context, key string, r Rate) Result {
	if r.none() {
		return Result{OK: true}
	}
	res, err := e.o.Store.Take(ctx, key, r)
	if err != nil {
		e.o.Logger.Error("ratelimit: store cannot be asked", "error", err)
		return Result{OK: !e.o.FailClosed, RetryAfter: r.Per}
	}
	return res
}
