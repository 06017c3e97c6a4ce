// Package adapter says who is in which room and carries packets to them: to
// the sockets of this process ([Memory]) and, in packages built on it, to those
// of other processes.
//
// Programs do not call an adapter; package socketio does, once per namespace.
// They choose one in its Options. Whoever implements one embeds [*Memory],
// overrides what has to cross the network, and runs package adaptertest on the
// result.
package adapter
