package admin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/parser"
)

// A socketInfo is a socket as the pages want it.
type socketInfo struct {
	ID        string                     `json:"id"`
	ClientID  string                     `json:"clientId"`
	Transport string                     `json:"transport"`
	Namespace string                     `json:"nsp"`
	Data      map[string]json.RawMessage `json:"data"`
	Handshake map[string]json.RawMessage `json:"handshake"`
	Rooms     []string                   `json:"rooms"`
}

// adminData is what nodes tell each other of a socket, in its data, under the
// key that the official implementation uses.
type adminData struct {
	ClientID  string `json:"clientId"`
	Transport string `json:"transport"`
}

const adminKeyName = "_admin"

var adminKey = socketio.NewKey[adminData](adminKeyName)

func describeLocal(s *socketio.Socket) socketInfo {
	handshake, data := s.Describe()
	info := describe(s.ID(), s.Namespace().Name(), s.Rooms(), handshake, data)
	info.ClientID, info.Transport = s.ConnectionID(), s.Transport()
	return info
}

func describeRemote(r *socketio.RemoteSocket, namespace string) socketInfo {
	if s, ok := r.Local(); ok {
		return describeLocal(s)
	}
	info := describe(r.ID(), namespace, r.Rooms(), r.Handshake(), r.Data())
	if a, ok, err := adminKey.Remote(r); ok && err == nil {
		info.ClientID, info.Transport = a.ClientID, a.Transport
	} else {
		info.ClientID = r.ID()[:min(12, len(r.ID()))]
	}
	return info
}

func describe(id, namespace string, rooms []string, handshake, data json.RawMessage) socketInfo {
	info := socketInfo{ID: id, Namespace: namespace, Rooms: append([]string{id}, rooms...)}
	_ = json.Unmarshal(rawOr(data), &info.Data)
	_ = json.Unmarshal(rawOr(handshake), &info.Handshake)
	delete(info.Data, adminKeyName)
	// What a client used to prove who it is is not for other eyes.
	delete(info.Handshake, "auth")
	return info
}

// now is a time as JavaScript has it in JSON.
func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

// maxShown is how much of an event is shown, in bytes of JSON.
const maxShown = 4 << 10

// received is an event that came, as a list with its name first.
func received(m *socketio.Message) []any {
	values, err := m.Args()
	if err != nil {
		return []any{m.Event(), fmt.Sprintf("(does not decode: %v)", err)}
	}
	return shown(m.Event(), values)
}

// shown is an event as the pages list it: bytes are named and not sent, and what
// is long is cut.
func shown(event string, values []any) []any {
	e, err := parser.JSON.Encode(parser.Header{Type: parser.Event, Namespace: "/", ID: parser.NoID}, append([]any{event}, values...)...)
	if err != nil {
		return []any{event, fmt.Sprintf("(does not encode: %v)", err)}
	}
	list := e.Head[bytes.IndexByte(e.Head, '['):]
	if len(list) > maxShown {
		return []any{event, fmt.Sprintf("(%d bytes)", len(list))}
	}
	var plain []any
	if err := json.Unmarshal(list, &plain); err != nil {
		return []any{event, fmt.Sprintf("(does not encode: %v)", err)}
	}
	return nameBytes(plain, e.Attachments).([]any)
}

// nameBytes replaces placeholders by the size of what they stand for.
func nameBytes(v any, attachments [][]byte) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = nameBytes(v[i], attachments)
		}
	case map[string]any:
		if n, ok := v["num"].(float64); ok && v["_placeholder"] == true && int(n) < len(attachments) {
			return fmt.Sprintf("(%d bytes)", len(attachments[int(n)]))
		}
		for k := range v {
			v[k] = nameBytes(v[k], attachments)
		}
	}
	return v
}
