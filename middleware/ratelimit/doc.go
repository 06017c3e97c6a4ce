// Package ratelimit bounds how often an address connects and how much a socket
// sends.
//
//	ratelimit.NewConnections(nil).Protect(srv) // 100 a minute from one address
//
//	ratelimit.NewEvents(&ratelimit.EventOptions{
//		PerSocket: ratelimit.Rate{Events: 50, Per: time.Second},
//		PerEvent:  map[string]ratelimit.Rate{"chat message": {Events: 10, Per: 10 * time.Second}},
//	}).Protect(srv)
//
// A [Rate] is a window, in which there may be so many, or a token bucket, which
// refills steadily and so spreads them. Either costs 16 bytes per key; the store
// of addresses is bounded ([Memory]), and may be one that a cluster shares
// ([Store]): package redisstore has it in Redis.
//
// Behind a proxy all clients come from its address: name the proxies in
// [ConnectionOptions.Proxies], and X-Forwarded-For is believed as far as they
// wrote it.
package ratelimit
