package socketio

import "github.com/sockeye-go/socketio/adapter"

// OnCreateRoom calls f when the first socket of this node joins a room. Events
// of a room come in their order and one at a time, soon after what caused them;
// f may use the server. The rooms of sockets' own ids have no events: see
// OnConnection.
func (n *registry) OnCreateRoom(f func(room string)) {
	n.onRoom(adapter.RoomCreated, func(room, _ string) { f(room) })
}

// OnDeleteRoom calls f when the last socket of this node has left a room.
func (n *registry) OnDeleteRoom(f func(room string)) {
	n.onRoom(adapter.RoomDeleted, func(room, _ string) { f(room) })
}

// OnJoinRoom calls f when a socket of this node joins a room; id is its id.
func (n *registry) OnJoinRoom(f func(room, id string)) { n.onRoom(adapter.RoomJoined, f) }

// OnLeaveRoom calls f when a socket of this node leaves a room, by its
// disconnect too.
func (n *registry) OnLeaveRoom(f func(room, id string)) { n.onRoom(adapter.RoomLeft, f) }

func (n *registry) onRoom(kind adapter.RoomEventKind, f func(room, id string)) {
	n.register(func(h *namespaceHooks) {
		h.rooms = extend(h.rooms, func(e adapter.RoomEvent) {
			if e.Kind == kind {
				f(e.Room, e.ID)
			}
		})
	})
	if n.observe != nil {
		n.observe()
	}
}

// roomEvent tells the hooks. A panic of one of them concerns no socket, and is
// logged.
func (n *Namespace) roomEvent(e adapter.RoomEvent) {
	for _, f := range n.hooks.Load().rooms {
		n.guard("room event", func() { f(e) })
	}
}
