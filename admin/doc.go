// Package admin lets people look into a running server, in two ways.
//
// [Handler] is a dashboard of our own: a page, and all that it asks for, behind
// one [net/http.Handler] and a login.
//
//	d := admin.Handler(srv, &admin.DashboardOptions{Auth: admin.Basic("root", hash)})
//	defer d.Close()
//	http.Handle("/dashboard/", d)
//
// [Instrument] speaks the protocol of the official Admin UI (@socket.io/admin-ui),
// whose pages connect to it as to a Node server.
//
//	a := admin.Instrument(srv, &admin.Options{Auth: admin.Basic("root", hash)})
//	defer a.Close()
//
// As long as nobody looks, the latter costs nothing per event, and the former a
// few counters. Details of sockets and events are sent to the official pages while
// there are few enough of them; above [Options.MaxSockets] and [Options.MaxEvents]
// they get sums, and stay quick. The dashboard is never sent a whole list.
package admin
