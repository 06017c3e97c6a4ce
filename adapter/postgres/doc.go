// Package postgres makes one Socket.IO server of many nodes by LISTEN and NOTIFY
// of PostgreSQL. Nodes may be Node servers: the messages are those of
// @socket.io/postgres-adapter.
//
//	pool, err := pgxpool.New(ctx, "postgres://localhost/app")
//	srv := socketio.NewServer(&socketio.Options{Adapter: postgres.New(pool, nil)})
//
// An [Emitter] emits from a program that is no server, and above all inside of
// your own transaction: the event leaves when it commits, and does not if it
// rolls back.
//
//	emitter := postgres.NewEmitter(pool, nil)
//	…
//	tx, err := pool.Begin(ctx)
//	tx.Exec(ctx, "UPDATE orders SET paid = true WHERE id = $1", id)
//	Paid.Emit(emitter.WithTx(tx).To("order:"+id).Bind(ctx), id)
//	tx.Commit(ctx)
//
// All namespaces listen on one connection. Messages that are binary, or too long
// for NOTIFY (8,000 bytes), go through a table that is made at need and cleaned
// up. Nothing is written while nothing happens: nodes see in the database who is
// connected, and send heartbeats only while there are Node servers, which need
// them.
//
// Delivery between nodes is at most once: what is published while a node has no
// connection does not reach it. It serves its own sockets meanwhile, and Health
// of the namespace says so.
//
// [NewLog] keeps what is emitted in a table, so that clients recover on any node,
// and [NewLogEmitter] writes to an outbox, from which nothing is lost.
//
// LISTEN needs a connection that stays with one session of the server. Behind a
// transaction pooler (PgBouncer in transaction mode, Supavisor, RDS Proxy) it does
// not work; the adapter notices that, says so, and takes a straight connection by
// [Options.Connect], while everything else may go through the pooler.
package postgres
