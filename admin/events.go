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
	if name == i.opts.Namespace {
		return
	}
	n.OnAny(func(_ context.Context, s *socketio.Socket, m *socketio.Message) error {
		if !i.looking() {
			return nil
		}
		i.traffic.in.Add(1)
		size := len(m.Event())
		for k := range m.Len() {
			size += len(m.Raw(k))
		}
		i.traffic.bytesIn.Add(uint64(size))
		if i.details.Load() && i.budget.take(i.opts.MaxEvents) {
			_ = i.nsp.Emit("event_received", name, s.ID(), received(m), now())
		}
		return nil
	})
	n.OnAnyOutgoing(func(s *socketio.Socket, event string, values []any) {
		if !i.looking() {
			return
		}
		i.traffic.out.Add(1)
		if i.details.Load() && i.budget.take(i.opts.MaxEvents) {
			_ = i.nsp.Emit("event_sent", name, s.ID(), shown(event, values), now())
		}
	})
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
