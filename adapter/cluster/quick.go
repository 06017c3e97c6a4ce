package cluster

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/sockeye-go/socketio/internal/jsontext"
	"github.com/sockeye-go/socketio/parser"
)

// Nearly all messages between nodes are broadcasts, and so these have a way of their
// own through the form that is JSON: without reflection, in one look at each byte and
// one at each level. What is unusual in any respect takes the other way, with which
// this one agrees (FuzzDecode).

// quick reports whether appendQuick can write a message.
func (m *Message) quick() bool {
	text := m.Values.JSON
	return (m.Type == Broadcast || m.Type == broadcastHere) && len(m.Values.Attachments) == 0 &&
		len(text) > 0 && jsontext.Skip(text, 0, maxDepth) == len(text)
}

// appendQuick appends a broadcast as Encode would write it.
func appendQuick(b []byte, m *Message) ([]byte, error) {
	b = append(b, '{')
	if m.UID != "" {
		b = append(b, `"uid":`...)
		b = append(jsontext.AppendString(b, m.UID), ',')
	}
	b = jsontext.AppendString(append(b, `"nsp":`...), m.NSP)
	b = strconv.AppendInt(append(b, `,"type":`...), int64(m.Type), 10)
	b, err := appendQuickData(append(b, `,"data":`...), m)
	if m.Seq != 0 {
		b = strconv.AppendUint(append(b, `,"seq":`...), m.Seq, 10)
	}
	return append(b, '}'), err
}

func appendQuickData(b []byte, m *Message) (_ []byte, err error) {
	b = append(b, '{')
	if m.RequestID != "" {
		b = append(b, `"requestId":`...)
		b = append(jsontext.AppendString(b, m.RequestID), ',')
	}
	b = strconv.AppendInt(append(b, `"packet":{"type":`...), int64(parser.Event), 10)
	b = append(append(b, `,"data":`...), m.Values.JSON...)
	b = jsontext.AppendString(append(b, `,"nsp":`...), m.NSP)
	o := NewWireOptions(m.Target, m.Flags, m.Timeout)
	b = appendStrings(append(b, `},"opts":{"rooms":`...), o.Rooms)
	b = appendStrings(append(b, `,"except":`...), o.Except)
	b = append(b, `,"flags":`...)
	if o.Flags == (WireFlags{}) {
		b = append(b, "{}"...)
	} else {
		var flags []byte
		flags, err = json.Marshal(o.Flags)
		b = append(b, flags...)
	}
	return append(b, "}}"...), err
}

func appendStrings(b []byte, names []string) []byte {
	b = append(b, '[')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = jsontext.AppendString(b, name)
	}
	return append(b, ']')
}

// readQuick reads a broadcast into m, or returns false if it is anything else.
func readQuick(m *Message, b []byte) bool {
	if !valid(b) {
		return false
	}
	var data []byte
	ok := members(b, func(key, value []byte) bool {
		switch string(key) {
		case "uid":
			return readString(value, &m.UID)
		case "nsp":
			return readString(value, &m.NSP)
		case "type":
			n, err := strconv.ParseUint(string(value), 10, 8)
			m.Type = Type(n)
			return err == nil
		case "seq":
			n, err := strconv.ParseUint(string(value), 10, 64)
			m.Seq = n
			return err == nil
		case "data":
			data = value
			return true
		}
		return false
	})
	return ok && readQuickData(m, data)
}

// valid reports whether b is one object, and not too deep.
func valid(b []byte) bool {
	return len(b) > 0 && b[0] == '{' && jsontext.Skip(b, 0, maxDepth) == len(b)
}

// readQuickData reads what is in the field data, which is valid JSON.
func readQuickData(m *Message, data []byte) bool {
	if m.Type != Broadcast && m.Type != broadcastHere || len(data) == 0 || data[0] != '{' {
		return false
	}
	var packet []byte
	var o WireOptions
	ok := members(data, func(key, value []byte) bool {
		switch string(key) {
		case "requestId":
			return readString(value, &m.RequestID)
		case "packet":
			return value[0] == '{' && members(value, func(key, value []byte) bool {
				switch string(key) {
				case "data":
					packet = value
					return true
				case "type", "nsp":
					return true
				}
				return false // as an id, which asks for acks
			})
		case "opts":
			return value[0] == '{' && members(value, func(key, value []byte) bool {
				switch string(key) {
				case "rooms":
					return readStrings(value, &o.Rooms)
				case "except":
					return readStrings(value, &o.Except)
				case "flags":
					return string(value) == "{}" || json.Unmarshal(value, &o.Flags) == nil
				}
				return false
			})
		}
		return false
	})
	if !ok || packet == nil {
		return false
	}
	o.Into(m)
	m.Values = Values{JSON: bytes.Clone(packet)}
	return true
}

// members calls f with what is in an object of valid JSON, until it returns false.
// It reports false for a key that comes twice, too.
func members(object []byte, f func(key, value []byte) bool) bool {
	var seen [8][]byte
	n := 0
	i := jsontext.SkipSpace(object, 1)
	for object[i] != '}' {
		end := jsontext.SkipString(object, i)
		key := object[i+1 : end-1]
		if n == len(seen) || slices.ContainsFunc(seen[:n], func(before []byte) bool { return bytes.Equal(before, key) }) {
			return false
		}
		start := jsontext.SkipKey(object, i)
		end = jsontext.Skip(object, start, maxDepth)
		if !f(key, object[start:end]) {
			return false
		}
		seen[n] = key
		n++
		if i = jsontext.SkipSpace(object, end); object[i] == ',' {
			i = jsontext.SkipSpace(object, i+1)
		}
	}
	return true
}

// readString reads a string that is written as it is.
func readString(value []byte, s *string) bool {
	if value[0] != '"' || bytes.IndexByte(value, '\\') >= 0 || !utf8.Valid(value) {
		return false
	}
	*s = string(value[1 : len(value)-1])
	return true
}

func readStrings(list []byte, names *RoomNames) bool {
	if list[0] != '[' {
		return false
	}
	i := jsontext.SkipSpace(list, 1)
	for list[i] != ']' {
		end := jsontext.Skip(list, i, maxDepth)
		var name string
		if !readString(list[i:end], &name) {
			return false
		}
		*names = append(*names, name)
		if i = jsontext.SkipSpace(list, end); list[i] == ',' {
			i = jsontext.SkipSpace(list, i+1)
		}
	}
	return true
}
