// Package redis makes one Socket.IO server of many nodes by Redis, or what speaks
// its protocol. Nodes may be Node servers.
//
//	client := goredis.NewClient(&goredis.Options{Addr: "localhost:6379"})
//	srv := socketio.NewServer(&socketio.Options{Adapter: redis.New(client, nil)})
//
// All nodes must use the same of
//
//   - [New], the classic adapter of @socket.io/redis-adapter, which every Redis can
//     do: every message goes to every node;
//   - [NewSharded], of the same package, for the sharded pub/sub of Redis 7: what is
//     for a room goes to the nodes that have it;
//   - [NewStreams], of @socket.io/redis-streams-adapter: messages are in a stream,
//     from which clients can catch up on any node, with Options.Recovery;
//   - [NewInterest], our own, without Node servers: what is for a room or a socket
//     goes to the nodes that have it, on any Redis.
//
// [Emitter] emits, to sockets of servers with the classic adapter, from a program
// that is no server.
//
// Apart from the stream, delivery between nodes is at most once: what is published
// while a node has no connection to Redis does not reach it. With the stream a node
// reads on where it was; what Redis has is as safe as its persistence makes it. In
// either case nodes serve their own sockets while Redis is away, emits return a
// [github.com/sockeye-go/socketio/adapter/cluster.DegradedError], and Health of the
// namespace says so.
package redis
