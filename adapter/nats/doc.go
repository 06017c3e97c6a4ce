// Package nats makes one namespace of those of many nodes over NATS, with a
// subject for each room: a node is sent what its sockets are to get, and no more.
//
//	conn, err := natsgo.Connect("nats://localhost:4222")
//	srv := socketio.NewServer(&socketio.Options{Adapter: nats.New(conn, nil)})
//
// Package embedded has a NATS server for those who would rather not run one.
//
// # Delivery
//
// At most once, as everywhere without a store: what is published while NATS, or a
// node, is away does not arrive. Sockets of a node are served whatever happens to
// NATS. A socket that joins a room is reached through other nodes when NATS knows
// of it, a moment after Join has returned; [Options.OneSubject] gives that up for
// certainty, and has every node receive everything.
//
// # Subjects
//
// Under [Options.Prefix] and the namespace: "all", "room.NAME" for broadcasts to
// one room, and "node.ID" for answers. A room that could be the id of a
// socket, since its name has 20 characters or a # or ~ in it, goes to all nodes.
package nats
