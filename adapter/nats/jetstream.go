package nats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/cluster"
)

// JetStream configures where NATS keeps what was emitted, and the sessions of
// clients, so that these can come back to any node. It needs nats-server 2.11 or
// newer. All namespaces share two streams, named by Options.Prefix; that of the log
// reaches back as far as the first of its limits lets it, whichever namespace
// uses it up.
type JetStream struct {
	// Replicas is how many servers of NATS have a copy: 1, 3 or 5. What is
	// confirmed survives the end of the fewer half of them. Default 1.
	Replicas int
	// Memory keeps it in memory: faster, and gone with the last server. Default
	// false: files.
	Memory bool
	// MaxBytes and MaxMessages limit the log; a message is a batch of what a node
	// emitted in one moment. Default 256 MiB and 1,000,000. Where nodes differ, the one
	// that opened a namespace last decides. Its age is limited by what recovery needs:
	// by what it needed most since the log was made.
	MaxBytes    int64
	MaxMessages int64
}

func (o *JetStream) withDefaults() *JetStream {
	if o == nil {
		return nil
	}
	c := *o
	if c.Replicas < 0 || c.MaxBytes < 0 || c.MaxMessages < 0 {
		panic("nats: Options.JetStream: a number is negative")
	}
	c.Replicas = cmp.Or(c.Replicas, 1)
	c.MaxBytes = cmp.Or(c.MaxBytes, 256<<20)
	c.MaxMessages = cmp.Or(c.MaxMessages, 1_000_000)
	return &c
}

// A store is a [cluster.Store] over two streams.
type store struct {
	bus *bus
	js  jetstream.JetStream

	log, sessions stream

	mu  sync.Mutex // held while streams are made
	max time.Duration
}

// A stream is set before a log is open, and again when it was made anew.
type stream struct {
	p atomic.Pointer[jetstream.Stream]
}

func (s *stream) Load() jetstream.Stream { return *s.p.Load() }

func newStore(b *bus) (*store, error) {
	js, err := jetstream.New(b.conn)
	if err != nil {
		return nil, fmt.Errorf("nats: %w", err)
	}
	return &store{bus: b, js: js}, nil
}

func (s *store) logName() string      { return streamName(s.bus.o.Prefix) + "_log" }
func (s *store) sessionsName() string { return streamName(s.bus.o.Prefix) + "_sessions" }

// streamName is a prefix without what subjects have and names of streams cannot.
func streamName(prefix string) string {
	b := []byte(prefix)
	for i, c := range b {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-') {
			b[i] = '_'
		}
	}
	return string(b)
}

func (s subjects) log() string               { return s.prefix + "log" }
func (s subjects) session(key string) string { return s.prefix + "session." + token(key) }

// noRecovery is how long the log is kept where no client will ask for it: nodes
// whose connection breaks for a moment read on.
const noRecovery = time.Minute

// ensure makes the streams, if they are not there, and returns the age of the log,
// which is another one when it was made anew, and where it is. fresh says that
// there were no sessions.
func (s *store) ensure(ctx context.Context) (epoch uint64, state jetstream.StreamState, fresh bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.bus.o.JetStream
	storage := jetstream.FileStorage
	if o.Memory {
		storage = jetstream.MemoryStorage
	}
	log := jetstream.StreamConfig{
		Name: s.logName(), Subjects: []string{s.bus.o.Prefix + ".*.log"}, Storage: storage, Replicas: o.Replicas,
		MaxAge: s.max, MaxBytes: o.MaxBytes, MaxMsgs: o.MaxMessages, Discard: jetstream.DiscardOld,
		// What is stored already must not be stored again, however long the node
		// did not hear that it was.
		Duplicates: s.max,
	}
	sessions := jetstream.StreamConfig{
		Name: s.sessionsName(), Subjects: []string{s.bus.o.Prefix + ".*.session.*"}, Storage: storage, Replicas: o.Replicas,
		MaxMsgsPerSubject: 1, Discard: jetstream.DiscardOld, AllowMsgTTL: true,
	}
	_, fresh, err = s.stream(ctx, &s.sessions, sessions)
	if err != nil {
		return 0, state, false, err
	}
	info, _, err := s.stream(ctx, &s.log, log)
	if err != nil {
		return 0, state, false, err
	}
	return uint64(info.Created.UnixMilli()), info.State, fresh, nil
}

// stream finds a stream, and makes or changes it if need be.
func (s *store) stream(ctx context.Context, to *stream, c jetstream.StreamConfig) (info *jetstream.StreamInfo, fresh bool, err error) {
	x, err := s.js.Stream(ctx, c.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if x, err = s.js.CreateStream(ctx, c); errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			x, err = s.js.Stream(ctx, c.Name) // another node was faster
		}
		fresh = err == nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("nats: stream %s: %w", c.Name, err)
	}
	have := x.CachedInfo().Config
	if have.MaxAge > c.MaxAge && c.MaxAge > 0 { // another node needs it longer
		c.MaxAge, c.Duplicates = have.MaxAge, have.Duplicates
	}
	if have.MaxAge != c.MaxAge || limit(have.MaxBytes) != limit(c.MaxBytes) || limit(have.MaxMsgs) != limit(c.MaxMsgs) {
		c.Storage, c.Replicas = have.Storage, have.Replicas // not to be changed by who comes later
		if x, err = s.js.UpdateStream(ctx, c); err != nil {
			return nil, false, fmt.Errorf("nats: stream %s: %w", c.Name, err)
		}
	}
	to.p.Store(&x)
	return x.CachedInfo(), fresh, nil
}

// limit is one as it is asked for: NATS says -1 where there is none.
func limit(n int64) int64 { return max(n, 0) }

// storeTimeout is how long JetStream may take to be there when a namespace opens:
// in a cluster that starts, its servers have to find each other first.
const storeTimeout = 30 * time.Second

// Open implements [cluster.Store].
func (s *store) Open(nsp, uid string, recovery *adapter.Recovery, r cluster.LogReader) (cluster.Log, error) {
	s.mu.Lock()
	age := noRecovery
	if recovery != nil {
		age = max(recovery.MaxAge, time.Second)
	}
	s.max = max(s.max, age)
	s.mu.Unlock()
	l := &log{
		store: s, r: r, uid: uid, subjects: s.bus.o.subjects(nsp),
		ended: make(chan struct{}), status: make(chan struct{}, 1),
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	ctx, cancel := context.WithTimeout(l.ctx, storeTimeout)
	defer cancel()
	var why error
	for {
		// Servers that have no leader do not answer.
		asking, done := context.WithTimeout(ctx, askTimeout)
		err := l.begin(asking)
		done()
		if err == nil {
			break
		}
		if why == nil || !errors.Is(err, context.DeadlineExceeded) {
			why = err
		}
		if errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) {
			l.cancel()
			return nil, err
		}
		if !wait(ctx, retryWait) {
			l.cancel()
			return nil, fmt.Errorf("%w (JetStream was not there for %v)", why, storeTimeout)
		}
	}
	s.bus.addLog(l)
	go l.run()
	return l, nil
}

// askTimeout is how long JetStream may take to answer before it is asked again.
const askTimeout = time.Second

// retryWait is the time between attempts to reach a JetStream that does not answer.
const retryWait = 250 * time.Millisecond

func wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// connected reports whether there is a connection to NATS.
func (s *store) connected() bool { return s.bus.conn.Status() == natsgo.CONNECTED }
