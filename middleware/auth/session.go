package auth

import (
	"sync"
	"time"

	"github.com/sockeye-go/socketio"
)

// A session is the token of a connected socket.
type session struct {
	socket       *socketio.Socket
	subject      string
	warn, leeway time.Duration
	wall         func() time.Time

	mu      sync.Mutex
	expires time.Time // zero: never
	timer   *time.Timer
	stopped bool
}

func (v *session) start() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.armLocked()
}

// extend replaces the time at which the socket ends.
func (v *session) extend(expires time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.expires = expires
	v.armLocked()
}

func (v *session) armLocked() {
	if v.timer != nil {
		v.timer.Stop()
		v.timer = nil
	}
	if !v.stopped && !v.expires.IsZero() {
		v.awaitLocked(v.expires, -v.warn, v.warned)
	}
}

// maxWait is how long a clock that was set forward can go unnoticed.
const maxWait = 10 * time.Minute

// awaitLocked calls f, with the lock held, when the wall clock says that it is
// beyond after the end of the token. Timers do not notice when that clock is set,
// so it is asked again; a timer of a token that was refreshed meanwhile does
// nothing.
func (v *session) awaitLocked(end time.Time, beyond time.Duration, f func(end time.Time)) {
	left := end.Add(beyond).Sub(v.wall())
	v.timer = time.AfterFunc(min(left, maxWait), func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		switch {
		case v.stopped || !v.expires.Equal(end):
		case v.wall().Before(end.Add(beyond)):
			v.awaitLocked(end, beyond, f)
		default:
			f(end)
		}
	})
}

// warned tells the client, and waits for the end.
func (v *session) warned(end time.Time) {
	_ = Expiring.Emit(v.socket, expiry(end)) // one that is gone needs no warning
	v.awaitLocked(end, v.leeway, v.cut)
}

func (v *session) cut(time.Time) {
	v.stopped = true
	go func() { // its hooks may wait, and call us
		_ = Ended.Emit(v.socket, socketio.None{})
		v.socket.Disconnect(false)
	}()
}

func (v *session) stop() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.stopped = true
	if v.timer != nil {
		v.timer.Stop()
	}
}
