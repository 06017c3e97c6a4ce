// Package forward lets a load balancer spread the requests of a cluster as it
// likes: a node that gets one for a session of another node forwards it.
//
//	f, err := forward.New(&forward.Options{Address: "10.0.0.1:3000", Key: key})
//	srv := socketio.NewServer(&socketio.Options{Forwarder: f})
//
// Address is where the other nodes reach this one, and Key is the same on all.
// Nothing else is configured: the address of a node is in the sids that it gives
// out, sealed, so that clients can neither read nor forge it. Requests for sessions
// of the node itself cost what they did before.
//
// Forwarding is for polling, JSONP and the upgrade to WebSocket. A client that
// begins with a WebSocket stays where it came.
package forward
