// Package engineio is the session layer under Socket.IO: Engine.IO revision 4,
// and 3 if wanted, over HTTP long-polling and WebSocket, with the upgrade from
// one to the other.
//
// A [Server] is an http.Handler. It calls Options.OnSession for every client
// that completes a handshake; the [Receiver] that comes back gets what that
// client sends, in order, whatever the transport. What the server has to say
// goes through [Session.Send], which never blocks.
//
// Most programs want package socketio, which adds events, acks, namespaces and
// rooms. This one is for those who bring their own meaning to the messages.
//
// Sources: the numbered headings in the comments are those of the Engine.IO
// protocol document, https://github.com/socketio/engine.io-protocol.
package engineio
