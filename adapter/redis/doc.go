// Package redis makes one Socket.IO server of many nodes by the pub/sub of
// Redis, or of what speaks its protocol. Nodes may be Node servers: the messages
// are those of @socket.io/redis-adapter.
//
//	client := goredis.NewClient(&goredis.Options{Addr: "localhost:6379"})
//	srv := socketio.NewServer(&socketio.Options{Adapter: redis.New(client, nil)})
//
// [New] is the classic adapter, which every Redis can do, and [NewSharded] the
// one for Redis 7 and its sharded pub/sub. All nodes must use the same. [Emitter]
// emits from a program that is no server.
//
// Delivery between nodes is at most once: what is published while a node has no
// connection to Redis does not reach it. It serves its own sockets meanwhile,
// and Health of the namespace says so. Recovery of connections needs a store,
// which these have not.
package redis
