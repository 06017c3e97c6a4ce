// Package socketio is a Socket.IO server: events with typed arguments between a
// Go program and the browsers, phones and other servers that talk to it.
//
// A [Server] is an [http.Handler]. Clients of Socket.IO 3.x and 4.x connect to it
// over HTTP long-polling or WebSocket, and move from the first to the second by
// themselves.
//
//	var Say = socketio.NewEvent[Said]("chat message")
//
//	srv := socketio.NewServer(nil)
//	Say.Handle(srv, func(ctx context.Context, s *socketio.Socket, in Said) error {
//		return Say.Emit(s.To("lobby"), in)
//	})
//	http.Handle("/socket.io/", srv)
//
// # Events
//
// An [Event] is a name bound to the type of its argument. Declare it once, as a
// package variable. [Event.Handle] registers a handler for all sockets of a
// namespace, at start-up, and costs nothing per socket; [Event.On] registers one
// on a single socket, inside OnConnection, as JavaScript does. [Event.Emit] sends
// it to whatever is an [Emitter]: a socket, a room, a namespace, the server.
//
// Several arguments, emit("move", x, y) in JavaScript, are a struct that embeds
// [Positional]; no argument is [None]. []byte anywhere in a value is a binary
// attachment, as Buffer is in Node, and arrives as []byte.
//
// Under the types there is a dynamic floor: [Socket.On], [Socket.Emit] and
// [Message], for catch-all listeners ([Namespace.OnAny]) and gateways.
//
// # Order and waiting
//
// The handlers of one socket run one at a time, in the order in which its client
// emitted; those of different sockets run in parallel. OnConnection runs to its
// end before the first event. A handler may wait, for an ack of its own client
// too: heartbeats and acks of the connection go on meanwhile, and what else the
// client sends is queued, up to Options.MaxReceivedEvents, and then held back by
// TCP. [Concurrent] takes a handler out of the order. The ctx of a handler ends
// when its socket disconnects, with the [DisconnectReason] as its cause; what must
// outlive the socket uses [context.WithoutCancel].
//
// # Acks
//
// The handler of an [EventWithAck] returns the answer. In the other direction
// [EventWithAck.EmitWithAck] waits for the client's answer, until its context
// ends or the socket disconnects; there is no other timeout. To
// ask many, [EventWithAck.Broadcast] yields the answers as they come and ends
// with a [*PartialAckError] if some are missing.
//
// # Rooms
//
// A room is a name that sockets join and leave ([Socket.Join]); it needs no
// creation and ends with its last member. Every socket is in the room of its own
// id. To, In, Except, Local, Volatile and Compress return a [BroadcastOperator],
// an immutable selection that emits, joins, fetches or disconnects. From a socket
// the selection leaves out that socket: s.To("lobby") are the others,
// srv.To("lobby") all. A broadcast is encoded once for all who get it.
// [Namespace.RoomSize] and [Namespace.Socket] answer for this node at once.
//
// # Namespaces
//
// [Server.Of] makes a [Namespace]: sockets, rooms, middleware and handlers of
// its own, over the same connection. The server has all methods of its namespace
// "/". [Server.OfFunc] and [Server.OfRegexp] make namespaces when clients ask for
// them. A client that asks for any other is refused.
//
// # Middleware
//
// [Namespace.Use] decides who may join: nil admits, an error refuses, and there is
// no next to call. A [*ConnectError] is what the client may read. [Namespace.UseEvents]
// and [Socket.Use] see each event before its handlers, may replace its arguments,
// and refuse it by an error. Options.AllowRequest refuses before there is
// a connection, with an HTTP status.
//
// Data of a socket has a typed [Key]; what must not leave this process, such as a
// channel, a [LocalKey]. Headers and the request are there in Use and
// OnConnection, and afterwards only if Options.KeepHeaders names them.
//
// # Errors
//
// A handler returns its error. If the client wants an ack, [Namespace.AckErrors]
// says what it gets: by default an [*AckError] as it is, "bad_arguments" for what
// does not fit the type, and a bare "internal" for the rest. An error that was not
// told to the client as an AckError goes to the hooks of [Namespace.OnError] and
// [Socket.OnError], or to the log where there is none. A panic is recovered,
// logged with its stack, and disconnects the socket.
//
// Emit returns what the caller can know: [ErrDisconnected], [ErrSlowConsumer], or
// that a value does not encode. The error of a broadcast is about the encoding
// and the way to other nodes, never about one recipient.
//
// # Delivery
//
// What one side emits on one socket arrives in that order, across the upgrade
// too, at most once. What is on its way when a connection breaks is lost, and
// nothing is kept for a client that comes back: it gets another socket. With
// Options.Recovery it gets a socket with the same id, rooms and data, and what it
// missed, in order and once; docs/recovery.md says when. Where more is asked, ask
// for an ack and send again. A volatile event is dropped
// when the client is not ready for it.
//
// # Limits
//
// Each queue, size and count has one, with a default; see [Options], and
// docs/options.md for the names in JavaScript. A client that reads too slowly is
// cut when Options.MaxQueuedBytes wait for it; it never holds up a broadcast.
// [ConfigureServer] sets the limits that only an [http.Server] has. How often a
// client connects, and how much it sends, is for package middleware/ratelimit.
//
// # Shutdown
//
// [Server.Shutdown] refuses new clients, hands over what is queued, closes the
// connections, and waits for running handlers until its context ends. Call it
// before [http.Server.Shutdown], which knows neither WebSockets nor waiting polls.
//
// # Mounting
//
// The server serves what its mux sends it, at any path, under [http.StripPrefix]
// and in the groups of other routers; clients expect /socket.io/. It tells the
// files of the browser client from the engine by the last segment of the path.
// Pages of another origin need Options.CORS. Behind a proxy, WebSocket needs the
// headers Upgrade and Connection passed on, and with several nodes polling needs
// sticky sessions.
package socketio
