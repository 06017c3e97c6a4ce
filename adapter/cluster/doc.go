// Package cluster makes one namespace of those of many nodes, over anything that
// carries messages between them. It is what the adapters for Redis, NATS and
// Postgres are built on, and speaks the protocol of the Node adapters that
// extend ClusterAdapter.
//
// A broker is a [Bus]: it opens a [Channel] for each namespace, publishes
// batches of messages in order, and hands over what arrives. Everything else is
// here: who is in the cluster, requests and who did not answer them, order,
// repeated messages, what happens while the bus is away, and leaving.
//
//	func New(client *broker.Client, o *cluster.Options) adapter.Factory {
//		return cluster.NewFactory(&bus{client}, o)
//	}
//
// [Encode] and [Decode] are the bytes that Node nodes understand. What a bus is
// held to is package adaptertest, which its tests run with several nodes, and
// [NewHub] is a bus in memory to compare with.
package cluster
