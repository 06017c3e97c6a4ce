package admin

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio"
)

// watch registers what is shown of a namespace. Sockets of the pages themselves
// are shown too, without what they say.
func (i *Instrumentation) watch(n *socketio.Namespace) {
	name := n.Name()
	n.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		if i.showing() {
			i.mark(s)
			info := describeLocal(s)
			i.remember(info)
			_ = i.nsp.Emit("socket_connected", info, now())
		}
		return nil
	})
	n.OnDisconnect(func(_ context.Context, s *socketio.Socket, reason socketio.DisconnectReason) {
		if i.showing() {
			_ = i.nsp.Emit("socket_disconnected", name, s.ID(), string(reason), now())
		}
	})
	n.OnJoinRoom(func(room, id string) {
		if i.showing() {
			_ = i.nsp.Emit("room_joined", name, room, id, now())
		}
	})
	n.OnLeaveRoom(func(room, id string) {
		if i.showing() {
			_ = i.nsp.Emit("room_left", name, room, id, now())
		}
	})
}

// observe has events shown and counted while somebody looks, and costs nothing
// while nobody does.
func (i *Instrumentation) observe() {
	i.mu.Lock()
	defer i.mu.Unlock()
	looking := i.looking() && !i.closed
	switch {
	case looking && i.stop == nil:
		i.last = i.srv.Stats()
		i.stop = i.srv.Observe(socketio.Observer{
			Received: func(ctx context.Context, m *socketio.Message) context.Context {
				if s := m.Socket(); i.shows(s) {
					_ = i.nsp.Emit("event_received", s.Namespace().Name(), s.ID(), received(m), now())
				}
				return ctx
			},
			Sent: func(s *socketio.Socket, event string, values []any) {
				if i.shows(s) {
					_ = i.nsp.Emit("event_sent", s.Namespace().Name(), s.ID(), shown(event, values), now())
				}
			},
		})
	case !looking && i.stop != nil:
		i.stop()
		i.stop = nil
	}
}

// shows reports whether one more event is shown. What the pages themselves say and
// are told is not.
func (i *Instrumentation) shows(s *socketio.Socket) bool {
	return s.Namespace() != i.nsp && i.details.Load() && i.budget.take(i.opts.MaxEvents)
}

// mark puts what other nodes want to know of a socket into its data.
func (i *Instrumentation) mark(s *socketio.Socket) {
	a := adminData{s.ConnectionID(), s.Transport()}
	if was, ok := adminKey.Get(s); !ok || was != a {
		adminKey.Set(s, a)
	}
}

// known is what pages were told last of a socket.
type known struct {
	transport string
	data      map[string]json.RawMessage
}

// remember notes what pages are told of a socket, and returns what they were told
// before.
func (i *Instrumentation) remember(info socketInfo) (was known, ok bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	was, ok = i.known[info.ID]
	i.known[info.ID] = known{info.Transport, info.Data}
	return was, ok
}

// forget drops the sockets that are gone.
func (i *Instrumentation) forget(there map[string]bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	maps.DeleteFunc(i.known, func(id string, _ known) bool { return !there[id] })
}

// showChanges tells pages what has changed on sockets since the last time:
// neither an upgrade nor data has a hook, and a look at a thousand sockets every
// two seconds is cheaper than one at every change.
func (i *Instrumentation) showChanges() {
	there := make(map[string]bool)
	defer func() { i.forget(there) }()
	if !i.showing() {
		return
	}
	for _, n := range i.srv.Namespaces() {
		for s := range n.Sockets() {
			there[s.ID()] = true
			i.mark(s)
			info := describeLocal(s)
			was, ok := i.remember(info)
			if !ok {
				continue
			}
			if was.transport != info.Transport {
				_ = i.nsp.Emit("socket_updated", map[string]any{"id": info.ID, "nsp": info.Namespace, "transport": info.Transport})
			}
			if !maps.EqualFunc(was.data, info.Data, slices.Equal) {
				_ = i.nsp.Emit("socket_updated", map[string]any{"id": info.ID, "nsp": info.Namespace, "data": info.Data})
			}
		}
	}
}

// A budget is how many events may still be shown this second.
type budget struct{ spent atomic.Uint64 } // the second in the upper half, the events of it in the lower

func (b *budget) take(limit int) bool {
	second := uint64(time.Now().Unix()) << 32
	for {
		was := b.spent.Load()
		next := was + 1
		if was>>32 != second>>32 {
			next = second + 1
		}
		if int(next&0xffffffff) > limit {
			return false
		}
		if b.spent.CompareAndSwap(was, next) {
			return true
		}
	}
}
