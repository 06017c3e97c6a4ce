// Package otel tells OpenTelemetry of a server: metrics, and spans that cross an
// emit and its answer.
//
//	o, err := otel.Instrument(srv, nil) // with the global providers
//	if err != nil { … }
//	defer o.Close()
//
// A handler runs in a span of its own, whose context it gets: what it asks of a
// database, and whom it asks for an answer, is within. EmitWithAck is a span from
// the event to the answer. Emit has no context and no end to be seen, and is
// counted only.
//
// # From where a trace comes
//
// Packets of Socket.IO have no headers: a trace cannot travel with an event unless
// the program puts it there ([Options.Carrier] takes it out). What there is is the
// handshake: if its request has a traceparent, or the payload of the client's
// CONNECT does (a browser cannot set headers of a WebSocket, but
// io({ auth: { traceparent } }) it can), the spans of the connection's handlers
// link to it. They are not its children: a connection lasts for hours, a trace
// should not.
//
// # Names
//
// Attributes are those of the semantic conventions for messaging
// (messaging.system, messaging.destination.name and so on), and, as in the
// instrumentation for Node, messaging.socket.io.event_name and
// messaging.socket.io.namespace, so that dashboards know them. Names come from
// clients: the first [Options.MaxNames] that occur are told apart, unless
// [Options.Events] lists them, and the rest is "other".
package otel
