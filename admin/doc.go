// Package admin lets people look into a running server: it speaks the protocol of
// the official Admin UI (@socket.io/admin-ui), whose pages connect to it as to a
// Node server.
//
//	a := admin.Instrument(srv, &admin.Options{Auth: admin.Basic("root", hash)})
//	defer a.Close()
//
// As long as nobody looks, it costs nothing per event. Details of
// sockets and events are sent while there are few enough of them; above
// [Options.MaxSockets] and [Options.MaxEvents] the pages get sums, and stay quick.
package admin
