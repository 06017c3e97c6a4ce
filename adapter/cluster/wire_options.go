package cluster

import (
	"fmt"

	"github.com/sockeye-go/socketio/internal/msgpack"
)

// Append appends the options as MessagePack, by hand since every broadcast has
// them.
func (o WireOptions) Append(b []byte) ([]byte, error) {
	b = msgpack.AppendMap(b, 3)
	b = appendNames(msgpack.AppendString(b, "rooms"), o.Rooms)
	b = appendNames(msgpack.AppendString(b, "except"), o.Except)
	b = msgpack.AppendString(b, "flags")
	if o.Flags == (WireFlags{}) {
		return msgpack.AppendMap(b, 0), nil
	}
	return msgpack.Append(b, o.Flags)
}

func appendNames(b []byte, names RoomNames) []byte {
	b = msgpack.AppendArray(b, len(names))
	for _, name := range names {
		b = msgpack.AppendString(b, name)
	}
	return b
}

// ReadWireOptions reads options from one value of valid MessagePack.
func ReadWireOptions(raw []byte) (o WireOptions, err error) {
	for key, value := range msgpack.Members(raw) {
		switch string(key) {
		case "rooms":
			o.Rooms, err = readNames(value)
		case "except":
			o.Except, err = readNames(value)
		case "flags":
			if h := msgpack.ReadHead(value); h.Kind == msgpack.Map && h.Len > 0 {
				err = msgpack.Unmarshal(value, &o.Flags)
			}
		}
		if err != nil {
			return o, fmt.Errorf("cluster: %w", err)
		}
	}
	return o, nil
}

// readNames reads the names of rooms, which may be numbers in JavaScript.
func readNames(raw []byte) (names RoomNames, err error) {
	for value := range msgpack.Elements(raw) {
		if h := msgpack.ReadHead(value); h.Kind == msgpack.String {
			names = append(names, string(h.Data))
			continue
		}
		text, err := msgpack.AppendJSON(nil, value)
		if err != nil {
			return nil, err
		}
		names = append(names, string(text))
	}
	return names, nil
}
