package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// A listener is the one connection on which all namespaces of a factory receive.
// It exists while there are any, and is made again when it is lost.
type listener struct {
	pool    *pgxpool.Pool
	o       *Options
	receive func(context.Context, []*pgconn.Notification)

	probeTimeout time.Duration

	mu        sync.Mutex
	subs      map[string][]*subscription // by channel
	undo      []string                   // statements for what nobody wants any more
	dirty     bool                       // subs or undo changed
	interrupt context.CancelFunc         // ends the wait for notifications
	stop      context.CancelFunc         // nil while it does not run
	ended     chan struct{}
	connected bool // there was a connection once
	lost      error
}

// A subscription is a namespace that listens.
type subscription struct {
	channel string
	key     presence
	tell    func(error) // that the connection is lost, or nil that it is back
	done    chan error  // has room for one: that it listens, or why not
	active  bool
}

const (
	// connectTimeout limits how long it may take to connect and to listen.
	connectTimeout = 10 * time.Second
	// checkInterval is after how long of silence the connection is tried.
	checkInterval = 15 * time.Second
	// checkTimeout is how long the server may take to answer then.
	checkTimeout = 5 * time.Second
	// maxRetry is how long it takes at most between two tries to connect.
	maxRetry = 2 * time.Second
	// maxPending is how many notifications may wait to be handed over. Beyond it
	// they wait in the server.
	maxPending = 1024
)

// add listens. While a connection is being made again it does not wait: the
// namespace is told, as those that are there already.
func (l *listener) add(s *subscription) error {
	s.done = make(chan error, 1)
	l.mu.Lock()
	if l.subs == nil {
		l.subs = make(map[string][]*subscription)
	}
	l.subs[s.channel] = append(l.subs[s.channel], s)
	lost := l.lost
	if l.connected && lost != nil {
		l.mu.Unlock()
		s.tell(lost)
		l.mu.Lock()
		back := l.lost == nil // and it may have been told so before
		l.mu.Unlock()
		if back {
			s.tell(nil)
		}
		return nil
	}
	if l.stop == nil {
		var ctx context.Context
		ctx, l.stop = context.WithCancel(context.Background())
		l.ended = make(chan struct{})
		l.connected, l.lost = false, nil
		go l.run(ctx, l.ended)
	}
	l.poke()
	l.mu.Unlock()
	select {
	case err := <-s.done:
		if err != nil {
			l.remove(s)
		}
		return err
	case <-time.After(2 * connectTimeout):
		l.remove(s)
		return fmt.Errorf("postgres: LISTEN was not answered within %v", 2*connectTimeout)
	}
}

// remove stops to listen, and waits for the end of the connection if that was
// the last namespace.
func (l *listener) remove(s *subscription) {
	l.mu.Lock()
	before := l.subs[s.channel]
	rest := slices.DeleteFunc(slices.Clone(before), func(other *subscription) bool { return other == s })
	if len(rest) == len(before) {
		l.mu.Unlock()
		return
	}
	if len(rest) > 0 {
		l.subs[s.channel] = rest
	} else {
		delete(l.subs, s.channel)
		l.undo = append(l.undo, "UNLISTEN "+quoteName(s.channel))
	}
	l.undo = append(l.undo, s.key.unlock())
	var ended chan struct{}
	if len(l.subs) == 0 {
		l.stop()
		l.stop, ended = nil, l.ended
	} else {
		l.poke()
	}
	l.mu.Unlock()
	if ended != nil {
		<-ended
	}
}

// poke has the connection look at what is wanted. l.mu is held.
func (l *listener) poke() {
	l.dirty = true
	if l.interrupt != nil {
		l.interrupt()
	}
}

func quoteName(channel string) string { return pgx.Identifier{channel}.Sanitize() }

// run has a connection until ctx ends.
func (l *listener) run(ctx context.Context, ended chan struct{}) {
	defer close(ended)
	for try := 0; ; try++ {
		conn, err := l.connect(ctx)
		if err == nil {
			try = 0
			err = l.serve(ctx, conn)
			closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			_ = conn.Close(closing)
			cancel()
		}
		if ctx.Err() != nil {
			return
		}
		l.setLost(err)
		retry := min(50*time.Millisecond<<min(try, 10), maxRetry)
		select {
		case <-time.After(retry/2 + rand.N(retry)): // not all nodes at once
		case <-ctx.Done():
			return
		}
	}
}

// connect makes a connection that receives notifications.
func (l *listener) connect(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := l.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("postgres: connect: %w", err)
	}
	if err = l.probe(ctx, conn); err == nil {
		// A server that was cut off finds out which nodes are gone within a minute.
		_, err = conn.PgConn().Exec(ctx, "SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3").ReadAll()
	}
	if err != nil {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing)
		return nil, err
	}
	return conn, nil
}

func (l *listener) open(ctx context.Context) (*pgx.Conn, error) {
	if l.o.Connect != nil {
		return l.o.Connect(ctx)
	}
	c, err := l.pool.Acquire(ctx)
	if err != nil {
		return nil, inWords(l.pool, err)
	}
	return c.Hijack(), nil // the pool may make another in its place
}

// serve hands over what is notified until the connection is lost.
func (l *listener) serve(ctx context.Context, conn *pgx.Conn) error {
	l.mu.Lock()
	l.undo, l.dirty = nil, true
	for _, subs := range l.subs {
		for _, s := range subs {
			s.active = false
		}
	}
	l.mu.Unlock()
	pending := make(chan *pgconn.Notification, maxPending)
	var delivering sync.WaitGroup
	delivering.Go(func() { l.deliver(ctx, pending) })
	defer delivering.Wait()
	defer close(pending)
	for {
		l.mu.Lock()
		dirty := l.dirty
		l.dirty = false
		wait, cancel := context.WithTimeout(ctx, checkInterval)
		l.interrupt = cancel
		l.mu.Unlock()
		var err error
		if dirty {
			err = l.subscribe(ctx, conn)
		} else {
			var n *pgconn.Notification
			if n, err = conn.WaitForNotification(wait); err == nil {
				pending <- n
			} else if wait.Err() != nil && ctx.Err() == nil {
				err = nil
				if wait.Err() == context.DeadlineExceeded {
					err = check(ctx, conn)
				}
			}
		}
		cancel()
		if err != nil {
			return err
		}
	}
}

// check tries a connection on which nothing has come for a while.
func check(ctx context.Context, conn *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if err := conn.Ping(ctx); err != nil {
		return fmt.Errorf("postgres: the connection that listens: %w", err)
	}
	return nil
}

// subscribe brings the connection to what is wanted. After a loss, all is well
// when it has done so.
func (l *listener) subscribe(ctx context.Context, conn *pgx.Conn) error {
	l.mu.Lock()
	sql := l.undo
	l.undo = nil
	var fresh []*subscription
	for channel, subs := range l.subs {
		for _, s := range subs {
			if !s.active {
				fresh = append(fresh, s)
				sql = append(sql, "LISTEN "+quoteName(channel), s.key.lock())
			}
		}
	}
	l.mu.Unlock()
	if len(sql) > 0 {
		ctx, cancel := context.WithTimeout(ctx, connectTimeout)
		defer cancel()
		if _, err := conn.PgConn().Exec(ctx, strings.Join(sql, "; ")).ReadAll(); err != nil {
			return fmt.Errorf("postgres: LISTEN: %w", err)
		}
	}
	l.mu.Lock()
	for _, s := range fresh {
		s.active = true
		s.answer(nil)
	}
	var told []*subscription
	if l.lost != nil {
		told = l.all()
	}
	l.lost, l.connected = nil, true
	l.mu.Unlock()
	for _, s := range told {
		s.tell(nil)
	}
	return nil
}

func (s *subscription) answer(err error) {
	select {
	case s.done <- err:
	default: // it has one, or does not wait
	}
}

// all returns the namespaces. l.mu is held.
func (l *listener) all() []*subscription {
	var all []*subscription
	for _, subs := range l.subs {
		all = append(all, subs...)
	}
	return all
}

// setLost tells the namespaces, and ends the wait of those that are to be opened.
func (l *listener) setLost(err error) {
	l.mu.Lock()
	var told []*subscription
	for _, s := range l.all() {
		if !s.active && !l.connected {
			s.answer(err)
		} else if l.lost == nil {
			told = append(told, s)
		}
	}
	l.lost = err
	l.mu.Unlock()
	for _, s := range told {
		s.tell(err)
	}
}

// maxBatch is how many notifications are handed over in one go.
const maxBatch = 64

// deliver hands over what has come, in order. What a node needs the database for
// does not keep the connection from being read meanwhile.
func (l *listener) deliver(ctx context.Context, pending <-chan *pgconn.Notification) {
	var batch []*pgconn.Notification
	for n := range pending {
		batch = append(batch[:0], n)
		for len(batch) < min(maxBatch, 1+len(pending)) {
			batch = append(batch, <-pending)
		}
		l.receive(ctx, batch)
	}
}
