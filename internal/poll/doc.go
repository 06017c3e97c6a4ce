// Package poll carries bytes of a hijacked connection without a goroutine or
// a buffer of its own while nothing happens on it.
//
// On Linux a plain TCP connection is taken away from the runtime: its
// descriptor is watched by one epoll set for the process, and read by a few
// goroutines for all. Everything else (TLS, wrapped
// connections, other systems, in-memory networks of tests) has one goroutine
// parked in Read.
//
// Writes never block. What the kernel takes at once is gone when [Conn.Write]
// returns, or, for a second write in the same moment, soon after; the rest waits
// in a bounded queue that the connection empties by itself. ADRs 1, 4 and 15 in
// docs/adr have the measurements.
package poll
