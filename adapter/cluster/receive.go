package cluster

import (
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/parser"
)

func (t Type) response() bool {
	switch t {
	case FetchSocketsResponse, ServerSideEmitResponse, BroadcastClientCount, BroadcastAck, broadcastLeft, sessionResponse:
		return true
	}
	return false
}

// A receiver is an adapter as its channel sees it.
type receiver struct {
	a     *Adapter
	ready <-chan struct{}
}

// Lost implements [Receiver]. What is said before the channel is open counts when
// it is: whoever opens it may wait for the goroutine that calls this.
func (r receiver) Lost(err error) {
	r.a.early.Store(&err)
	if r.open() {
		r.a.busLost(err)
	}
}

// open reports whether the channel is open.
func (r receiver) open() bool {
	select {
	case <-r.ready:
		return true
	default:
		return false
	}
}

// Rooms implements [Receiver].
func (r receiver) Rooms(f func(room string, exists bool)) {
	r.a.observers.interest.Store(&f)
	r.a.Memory.Observe(r.a.observers.tell)
}

// Sockets implements [Receiver].
func (r receiver) Sockets(f func(id string)) { r.a.observers.sockets.Store(&f) }

// Local implements [Receiver].
func (r receiver) Local() *adapter.Memory { return r.a.Memory }

// Receive implements [Receiver].
func (r receiver) Receive(m *Message) {
	if !r.open() {
		return // nobody counts on this node yet
	}
	a := r.a
	if m.UID == a.uid || m.NSP != a.nsp {
		return
	}
	if m.Type == AdapterClose {
		if a.nodes.leave(m.UID) {
			a.host.Logger().Info("node has left", "nsp", a.nsp, "node", m.UID)
		}
		a.gone(m.UID)
		return
	}
	if m.UID != "" && m.UID != emitterUID {
		fresh, repeated, lost := a.nodes.heard(m, false)
		if repeated {
			return
		}
		if lost > 0 {
			a.host.Logger().Error("messages of another node were lost", "nsp", a.nsp, "node", m.UID, "messages", lost)
		}
		if fresh {
			a.host.Logger().Info("node is there", "nsp", a.nsp, "node", m.UID)
		}
	}
	a.handle(m)
}

func (a *Adapter) handleMessage(m *Message) {
	switch m.Type {
	case InitialHeartbeat:
		_ = a.publish(&Message{Type: Heartbeat})
	case Broadcast:
		a.deliver(m)
	case SocketsJoin:
		_ = a.Memory.SocketsJoin(m.Target, m.Rooms...)
	case SocketsLeave:
		_ = a.Memory.SocketsLeave(m.Target, m.Rooms...)
	case DisconnectSockets:
		_ = a.Memory.DisconnectSockets(m.Target, m.CloseConnection)
	case FetchSockets:
		var infos []adapter.SocketInfo
		for member := range a.Local(m.Target) {
			infos = append(infos, adapter.SocketInfo{ID: member.ID(), Rooms: member.Membership().Rooms(), Member: member})
		}
		a.respond(m.UID, &Message{Type: FetchSocketsResponse, RequestID: m.RequestID, Sockets: infos})
	case ServerSideEmit:
		a.serverSide(m)
	default: // a response
		if r := a.requests.find(m.RequestID); r != nil {
			r.response(m)
		}
	}
}

// gone is for a node that has left, or died.
func (a *Adapter) gone(uid string) {
	a.mu.Lock()
	delete(a.answers, uid)
	a.mu.Unlock()
	a.requests.gone(uid)
}

// deliver serves the sockets of this node with a broadcast of another.
func (a *Adapter) deliver(m *Message) {
	id := parser.NoID
	if m.RequestID != "" {
		id = a.host.AckID()
	} else if !a.anybody(m.Target) {
		return
	}
	p, err := m.packet(id)
	if err == nil {
		err = a.host.Prepare(p)
	}
	if err != nil {
		a.host.Logger().Warn("broadcast of another node dropped", "nsp", a.nsp, "node", m.UID, "error", err)
		return
	}
	if m.RequestID == "" {
		_ = a.Memory.Broadcast(m.Target, p)
		return
	}
	a.askClients(m, p)
}

// anybody reports whether a target selects any socket here, so that nothing is
// encoded for nobody.
func (a *Adapter) anybody(t adapter.Target) bool {
	for range a.Local(t) {
		return true
	}
	return false
}

// askClients asks the clients of this node, and passes on what they answer.
func (a *Adapter) askClients(m *Message, p *adapter.Packet) {
	var mu sync.Mutex
	var count int
	var asked bool
	var early []*Message // answers that came before the count was sent
	var stop func()
	answered := func(answer adapter.Answer) {
		out := &Message{Type: BroadcastAck, RequestID: m.RequestID, Values: one(answer)}
		if answer.Err != nil {
			out = &Message{Type: broadcastLeft, RequestID: m.RequestID}
		}
		mu.Lock()
		defer mu.Unlock()
		if !asked {
			early = append(early, out)
			return
		}
		a.respond(m.UID, out)
		if count--; count == 0 && stop != nil {
			stop()
		}
	}
	n, cancel := a.Memory.Ask(m.Target, p, answered)
	mu.Lock()
	defer mu.Unlock()
	asked, count = true, n-len(early)
	a.respond(m.UID, &Message{Type: BroadcastClientCount, RequestID: m.RequestID, ClientCount: n})
	for _, out := range early {
		a.respond(m.UID, out)
	}
	if count == 0 {
		return
	}
	timeout := m.Timeout
	if timeout == 0 {
		timeout = a.o.RequestTimeout
	}
	timer := time.AfterFunc(timeout, cancel)
	stop = func() { timer.Stop() }
}

// serverSide hands an event of another node to the namespace.
func (a *Adapter) serverSide(m *Message) {
	event, args, err := m.Values.Event()
	if err != nil {
		a.host.Logger().Warn("server-side event of another node dropped", "nsp", a.nsp, "node", m.UID, "error", err)
		return
	}
	var reply func(json.RawMessage)
	if m.RequestID != "" {
		var once atomic.Bool
		reply = func(answer json.RawMessage) {
			if !once.Swap(true) {
				a.respond(m.UID, &Message{Type: ServerSideEmitResponse, RequestID: m.RequestID, Values: one(adapter.Answer{Args: [][]byte{answer}})})
			}
		}
	}
	a.host.ServerSide(adapter.ServerMessage{Event: event, Args: args, Attachments: m.Values.Attachments}, reply)
}

// observers are those that want to know of rooms: the bus and the namespace.
type observers struct {
	interest atomic.Pointer[func(room string, exists bool)]
	sockets  atomic.Pointer[func(id string)]
	user     atomic.Pointer[func(adapter.RoomEvent)]
}

func (o *observers) set(f func(adapter.RoomEvent)) {
	if f == nil {
		o.user.Store(nil)
		return
	}
	o.user.Store(&f)
}

// Add implements [adapter.Adapter].
func (a *Adapter) Add(m adapter.Member) {
	a.Memory.Add(m)
	if f := a.observers.sockets.Load(); f != nil {
		(*f)(m.ID())
	}
}

// Remove implements [adapter.Adapter].
func (a *Adapter) Remove(m adapter.Member) []string {
	rooms := a.Memory.Remove(m)
	if f := a.observers.sockets.Load(); f != nil {
		(*f)(m.ID())
	}
	return rooms
}

func (o *observers) tell(e adapter.RoomEvent) {
	if f := o.interest.Load(); f != nil && (e.Kind == adapter.RoomCreated || e.Kind == adapter.RoomDeleted) {
		(*f)(e.Room, e.Kind == adapter.RoomCreated)
	}
	if f := o.user.Load(); f != nil {
		(*f)(e)
	}
}
