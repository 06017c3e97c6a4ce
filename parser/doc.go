// Package parser is the codec of Socket.IO protocol 5: it turns packets into
// the messages that package engineio carries, and back.
//
// A packet with binary data is several messages: the head, a line of text such
// as
//
//	51-/chat,12["photo",{"_placeholder":true,"num":0}]
//
// and behind it one binary message per attachment. [Parser.Encode] finds the
// attachments, which are the []byte anywhere inside the values; a
// [Reassembler] puts the messages of one connection together again.
//
// Decoding stops at the arguments: a [Packet] holds them as they came, and
// [Parser.Unmarshal] decodes one straight into the type that a handler asks
// for. An event nobody listens to costs no more than finding the ends of its
// arguments.
//
// Nothing here starts a goroutine or keeps state between calls, except the
// Reassembler, which belongs to one connection.
package parser
