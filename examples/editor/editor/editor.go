// Package editor is a text editor for several at once: all type when they like, and
// all see the same in the end. What that takes is in package ot; here is who is told
// of what.
package editor

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/examples/editor/ot"
)

const (
	maxID       = 64 // characters, of names too
	saveEvery   = time.Second
	maxOpen     = 1000             // documents
	keepUnused  = 10 * time.Minute // an open document without participants
	sweepUnused = time.Minute
)

// An Editor serves the documents of a namespace.
type Editor struct {
	n     *socketio.Namespace
	store *Store // may be nil
	stop  chan struct{}
	saver sync.WaitGroup

	mu   sync.Mutex // guards docs and, in all of them, users and lastUsed
	docs map[string]*document
}

// A document is one that is open.
type document struct {
	id string

	// mu is held while something is done and told: all hear of it in one order.
	// Emitting never blocks, so that nobody waits for a slow client.
	mu           sync.Mutex
	doc          *ot.Document
	participants []Participant
	saved        int // the version that is in the store

	users    int
	lastUsed time.Time
}

// A seat is what a socket has open.
type seat struct {
	doc     *document
	session *ot.Session
	Participant
}

var (
	open = socketio.NewLocalKey[*seat]()

	errNotOpen = errors.New("join a document first")
	errBadID   = errors.New("a document needs an id of at most 64 characters")
	errFull    = errors.New("too many documents are open")
)

// New registers an editor on n. Documents are kept in store, which Close closes; nil
// keeps them for as long as the program runs.
func New(n *socketio.Namespace, store *Store) *Editor {
	e := &Editor{n: n, store: store, stop: make(chan struct{}), docs: make(map[string]*document)}
	joinDocument.Handle(n, e.join)
	operation.Handle(n, e.operation)
	cursor.Handle(n, e.cursor)
	n.OnDisconnect(func(_ context.Context, s *socketio.Socket, _ socketio.DisconnectReason) { e.leave(s) })
	n.OnError(func(_ context.Context, s *socketio.Socket, err error) {
		if _, bad := errors.AsType[*socketio.ArgumentError](err); !bad {
			slog.Error("editor", "socket", s, "error", err)
		}
		_ = failed.Emit(s, "something is wrong with what was sent")
	})
	e.saver.Go(e.saveLoop)
	return e
}

// join opens a document. To open another leaves the first.
func (e *Editor) join(_ context.Context, s *socketio.Socket, in Join) error {
	if n := utf8.RuneCountInString(in.DocID); n == 0 || n > maxID || len(in.Client) > maxID {
		return failed.Emit(s, errBadID.Error())
	}
	e.leave(s)
	d, err := e.use(in.DocID)
	if err != nil {
		return failed.Emit(s, err.Error())
	}
	if err := s.Join(room(d.id)); err != nil {
		e.unuse(d)
		return err
	}
	name := strings.TrimSpace(in.Name)
	if name == "" || utf8.RuneCountInString(name) > maxID {
		name = "guest " + s.ID()[:4]
	}
	me := &seat{doc: d, Participant: Participant{ID: s.ID(), Name: name}}

	d.mu.Lock()
	defer d.mu.Unlock()
	answer := State{ID: d.id, Version: d.doc.Version()}
	if in.Since != nil && in.Client != "" {
		answer.Missed, answer.Resume = d.doc.Since(*in.Since)
	}
	if !answer.Resume {
		answer.Content = d.doc.Text.String()
	}
	me.session = d.doc.Join(s.ID(), in.Client)
	d.participants = append(d.participants, me.Participant)
	answer.Participants = d.participants
	open.Set(s, me)
	return errors.Join(state.Emit(s, answer), arrived.Emit(s.To(room(d.id)), s.ID()), e.tellParticipants(s, d))
}

// participants is a list with names, which the tutorials' event does not have.
var participants = socketio.NewEvent[[]Participant]("participants")

func (e *Editor) tellParticipants(s *socketio.Socket, d *document) error {
	return participants.Emit(s.To(room(d.id)), d.participants)
}

func (e *Editor) operation(_ context.Context, s *socketio.Socket, in Operation) error {
	me, ok := open.Get(s)
	if !ok || me.doc.id != in.DocID {
		return failed.Emit(s, errNotOpen.Error())
	}
	d := me.doc
	d.mu.Lock()
	defer d.mu.Unlock()
	ops, err := me.session.Do(in.Operation, in.ClientVersion, in.Seq)
	switch {
	case errors.Is(err, ot.ErrTooFar):
		me.session.Leave()
		me.session = d.doc.Join(s.ID(), "")
		return syncNeeded.Emit(s, Sync{d.doc.Version(), d.doc.Text.String()})
	case err != nil:
		return failed.Emit(s, err.Error())
	}
	for _, op := range ops {
		if err := done.Emit(s.To(room(d.id)), op); err != nil {
			return err
		}
	}
	return applied.Emit(s, Applied{in.Seq, d.doc.Version()})
}

func (e *Editor) cursor(_ context.Context, s *socketio.Socket, in Cursor) error {
	me, ok := open.Get(s)
	if !ok || me.doc.id != in.DocID {
		return failed.Emit(s, errNotOpen.Error())
	}
	anchor := in.Position
	if in.Anchor != nil {
		anchor = *in.Anchor
	}
	// Volatile: who is slow gets the next one, and that is as good.
	return cursorMoved.Emit(s.To(room(me.doc.id)).Volatile(), CursorUpdate{s.ID(), me.Name, in.Position, anchor})
}

func (e *Editor) leave(s *socketio.Socket) {
	me, ok := open.Get(s)
	if !ok {
		return
	}
	open.Delete(s)
	d := me.doc
	s.Leave(room(d.id))
	d.mu.Lock()
	me.session.Leave()
	others := make([]Participant, 0, len(d.participants))
	for _, p := range d.participants {
		if p.ID != s.ID() {
			others = append(others, p)
		}
	}
	d.participants = others
	_ = left.Emit(s.To(room(d.id)), s.ID()) // of recipients there may be none
	_ = e.tellParticipants(s, d)
	d.mu.Unlock()
	e.unuse(d)
}

func room(id string) string { return "document:" + id }

// use opens a document, or finds it open.
func (e *Editor) use(id string) (*document, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	d := e.docs[id]
	if d == nil {
		if len(e.docs) >= maxOpen {
			return nil, errFull
		}
		var was Saved
		if e.store != nil {
			var err error
			if was, err = e.store.Load(id); err != nil {
				slog.Error("editor: load", "document", id, "error", err)
				return nil, errors.New("the document cannot be read")
			}
		}
		d = &document{id: id, doc: ot.NewDocument(was.Content, was.Version), saved: was.Version}
		e.docs[id] = d
	}
	d.users++
	return d, nil
}

func (e *Editor) unuse(d *document) {
	e.mu.Lock()
	defer e.mu.Unlock()
	d.users--
	d.lastUsed = time.Now()
}

// saveLoop stores what has changed, once a second: a crash costs that much.
func (e *Editor) saveLoop() {
	save, sweep := time.NewTicker(saveEvery), time.NewTicker(sweepUnused)
	defer save.Stop()
	defer sweep.Stop()
	for {
		select {
		case <-save.C:
			if err := e.save(); err != nil {
				slog.Error("editor: save", "error", err)
			}
		case <-sweep.C:
			e.closeUnused()
		case <-e.stop:
			return
		}
	}
}

func (e *Editor) save() error {
	if e.store == nil {
		return nil
	}
	e.mu.Lock()
	open := make([]*document, 0, len(e.docs))
	for _, d := range e.docs {
		open = append(open, d)
	}
	e.mu.Unlock()
	changed := make(map[string]Saved)
	for _, d := range open {
		d.mu.Lock()
		if d.doc.Version() != d.saved {
			changed[d.id] = Saved{d.doc.Text.String(), d.doc.Version()}
		}
		d.mu.Unlock()
	}
	if len(changed) == 0 {
		return nil
	}
	if err := e.store.Save(changed); err != nil {
		return err // and again in a second
	}
	for _, d := range open {
		d.mu.Lock()
		if saved, ok := changed[d.id]; ok {
			d.saved = saved.Version
		}
		d.mu.Unlock()
	}
	return nil
}

// closeUnused lets go of documents that nobody has had open for a while and that are
// in the store.
func (e *Editor) closeUnused() {
	if e.store == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, d := range e.docs {
		d.mu.Lock()
		if d.users == 0 && time.Since(d.lastUsed) > keepUnused && d.doc.Version() == d.saved {
			delete(e.docs, id)
		}
		d.mu.Unlock()
	}
}

// Close stores all documents and closes the store. Shut the server down first.
func (e *Editor) Close() error {
	close(e.stop)
	e.saver.Wait()
	err := e.save()
	if e.store != nil {
		err = errors.Join(err, e.store.Close())
	}
	return err
}
