// Package msgpack is the MessagePack of Socket.IO peers, which is that of
// notepack.io, and its mapping to Go values.
//
// Types mean what they mean to encoding/json: the same tags, the same members,
// the same forms of their own (a MarshalJSON is to Go what toJSON is to notepack).
// What MessagePack has and JSON has not is added: []byte is binary data, and
// [time.Time] is a Date.
//
// Two extensions are notepack's own: undefined is `d4 00 00`, and a Date is
// `d7 00` with milliseconds. The standard's timestamp, type -1, is read too.
//
// [Skip] checks a value without decoding it. Everything else wants values that it
// has let pass.
package msgpack
