// Package webtransport carries Engine.IO over WebTransport, which is HTTP/3 and so
// QUIC: a connection that survives a change of network, and in which a lost packet
// costs one round trip and no more. Who does not import it links none of it.
//
//	srv := socketio.NewServer(&socketio.Options{
//		Transports: []string{"polling", "websocket", "webtransport"},
//	})
//	mux := http.NewServeMux()
//	mux.Handle("/socket.io/", srv)
//
//	h3 := webtransport.NewServer(mux, &webtransport.Options{TLSConfig: config})
//	go h3.ListenAndServe(":443") // UDP
//	https.ListenAndServeTLS("", "") // the same mux over TCP, on :443
//
// A request for WebTransport goes through the handler as any other one: middleware,
// CORS, CheckOrigin and AllowRequest see it. What the mux serves otherwise is served
// over HTTP/3 too, long-polling included.
//
// An idle connection costs some 95 KB and ten goroutines, which QUIC takes
// (BenchmarkIdle): as much as seventy idle WebSockets.
package webtransport
