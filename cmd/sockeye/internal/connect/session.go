package connect

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

// maxQuestions is how many events of the server may wait for an answer of the
// user's.
const maxQuestions = 1024

// A session is the socket, and what is noted of it.
type session struct {
	target *cli.Target
	socket *client.Socket
	start  time.Time
	expect *expectations
	ended  chan struct{} // closed when the socket will not come back
	// noted is closed when the first connection has been noted: answers come on
	// another goroutine and might be sooner.
	noted chan struct{}
	first sync.Once
	once  sync.Once
	// leaving: the end of the connection is no news, but our own.
	leaving atomic.Bool

	mu        sync.Mutex
	sinks     []sink                      // guarded by mu, as is what follows
	saver     *saver                      // may be nil
	questions map[int64]*socketio.Message // by number
	asked     int64
	pending   int           // calls under way
	idle      chan struct{} // closed when there is none, if somebody waits for it
	failed    int           // calls that were not answered
	last      error
}

// A sink gets each record, one at a time.
type sink interface{ put(r record) }

func newSession(t *cli.Target, m *client.Manager, expect *expectations, sinks ...sink) *session {
	s := &session{target: t, start: time.Now(), expect: expect, sinks: sinks,
		ended: make(chan struct{}), noted: make(chan struct{}), questions: map[int64]*socketio.Message{}}
	s.socket = m.Socket(t.Namespace)
	s.socket.OnConnect(func() {
		s.note(record{Type: typeConnect, SID: s.socket.ID(), Namespace: t.Namespace, Transport: m.Transport(), Recovered: s.socket.Recovered()})
		s.first.Do(func() { close(s.noted) })
	})
	s.socket.OnDisconnect(func(reason socketio.DisconnectReason, err error) {
		if s.leaving.Load() {
			return
		}
		r := record{Type: typeDisconnect, Reason: string(reason)}
		if err != nil {
			r.Error = err.Error()
		}
		if reason == client.ServerDisconnect {
			r.Hint = "the server threw the socket out; a client does not come back from that by itself"
		}
		s.note(r)
		if !s.socket.Active() {
			s.end(fmt.Errorf("disconnected: %s", reason))
		}
	})
	s.socket.OnConnectError(func(err error) {
		s.note(record{Type: typeRefused, Error: err.Error(), Hint: t.Hint(err)})
		if !s.socket.Active() {
			s.end(err)
		}
	})
	m.OnReconnectAttempt(func(attempt int) { s.note(record{Type: typeRetry, Attempt: attempt}) })
	s.socket.OnAny(s.received)
	return s
}

// leave ends the session: nothing is written afterwards, whatever still runs.
func (s *session) leave() {
	s.leaving.Store(true)
	s.socket.Manager().Close()
	<-s.answers()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sinks, s.saver = nil, nil
}

func (s *session) end(err error) {
	s.mu.Lock()
	s.last = err
	s.mu.Unlock()
	s.once.Do(func() { close(s.ended) })
}

// note tells the sinks of something that happened now.
func (s *session) note(r record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.T = float64(time.Since(s.start).Microseconds()) / 1000
	s.put(r)
	if s.saver == nil {
		return
	}
	for _, saved := range s.saver.save(r) {
		saved.T = r.T
		s.put(saved)
	}
}

func (s *session) put(r record) {
	for _, to := range s.sinks {
		to.put(r)
	}
}

func (s *session) problem(format string, args ...any) {
	s.note(record{Type: typeProblem, Error: fmt.Sprintf(format, args...)})
}

func (s *session) received(ctx context.Context, m *socketio.Message) error {
	args, err := m.Args()
	if err != nil {
		s.problem("event %q does not decode: %v", m.Event(), err)
		return nil
	}
	r := record{Type: typeEvent, Event: m.Event(), Args: args}
	if m.WantsAck() {
		r.ID = s.ask(m.Detach())
	}
	s.note(r)
	s.expect.saw(ctx, m.Event(), args)
	return nil
}

// ask keeps an event that wants an answer. The oldest is forgotten when there are
// too many.
func (s *session) ask(m *socketio.Message) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	s.questions[s.asked] = m
	delete(s.questions, s.asked-maxQuestions)
	return s.asked
}

// emit sends an event.
func (s *session) emit(event string, args []any) error {
	if err := s.socket.Emit(event, args...); err != nil {
		return s.explain(err)
	}
	s.note(record{Type: typeEmit, Event: event, Args: args})
	return nil
}

// call sends an event and notes the answer when it comes.
func (s *session) call(ctx context.Context, within time.Duration, id any, event string, args []any) {
	s.note(record{Type: typeEmit, Event: event, Args: args, ID: id})
	sent := time.Now()
	ctx, cancel := context.WithTimeout(ctx, within)
	s.mu.Lock()
	s.pending++
	s.mu.Unlock()
	go func() {
		defer s.answered()
		defer cancel()
		m, err := s.socket.EmitWithAck(ctx, event, args...)
		r := record{Type: typeAck, Event: event, ID: id, MS: float64(time.Since(sent).Microseconds()) / 1000}
		if err == nil {
			r.Args, err = m.Args()
		}
		if err != nil {
			r.Error = s.explain(err).Error()
			s.mu.Lock()
			s.failed++
			s.mu.Unlock()
		}
		s.note(r)
	}()
}

func (s *session) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending--
	if s.pending == 0 && s.idle != nil {
		close(s.idle)
		s.idle = nil
	}
}

// answers returns what is closed when no call is under way.
func (s *session) answers() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending == 0 {
		none := make(chan struct{})
		close(none)
		return none
	}
	if s.idle == nil {
		s.idle = make(chan struct{})
	}
	return s.idle
}

// answer answers an event of the server.
func (s *session) answer(id int64, args []any) error {
	s.mu.Lock()
	m := s.questions[id]
	delete(s.questions, id)
	s.mu.Unlock()
	if m == nil {
		return fmt.Errorf("nothing with the number %d waits for an answer", id)
	}
	if err := m.Ack(args...); err != nil {
		return err
	}
	s.note(record{Type: typeAnswer, ID: id, Args: args})
	return nil
}

func (s *session) explain(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer in time: does the server's handler call its ack?")
	case errors.Is(err, context.Canceled):
		return errors.New("given up")
	}
	return err
}

// failures returns how many calls were not answered.
func (s *session) failures() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

func (s *session) lastError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}
