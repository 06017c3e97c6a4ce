// Package sockettest tests programs that use Socket.IO: a server and its
// clients on a network in memory, with a clock that goes as fast as the test,
// and with faults on demand.
//
//	sockettest.Run(t, newServer, func(t *testing.T, n *sockettest.Network) {
//		ann, bob := n.Client(nil), n.Client(nil)
//		…
//		ann.Cut() // and she comes back by herself
//		time.Sleep(2 * time.Second) // takes no time
//	})
//
// [Run] calls the test in a bubble of testing/synctest: time goes on when all
// goroutines wait, at once to the next timer. Heartbeats, timeouts and delays
// are therefore exact, and a test of minutes takes milliseconds. What the test
// starts has to end in it; Run sees to server and clients.
package sockettest
