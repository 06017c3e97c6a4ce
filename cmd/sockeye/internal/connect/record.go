package connect

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// The types of records. Those of the second row are what a user does.
const (
	typeConnect, typeDisconnect, typeRefused, typeRetry, typeEvent, typeAck, typeProblem = "connect", "disconnect", "connect_error", "reconnect_attempt", "event", "ack", "error"
	typeEmit, typeAnswer                                                                 = "emit", "answer"
	typeRecording, typeSaved                                                             = "recording", "saved"
)

// A record is a line of NDJSON: of the output, of the input, and of recordings,
// which are one format.
type record struct {
	T    float64 `json:"t"` // milliseconds since the beginning
	Type string  `json:"type"`

	Event string `json:"event,omitempty"`
	Args  []any  `json:"args,omitempty"`
	ID    any    `json:"id,omitempty"` // ties an answer to its question

	MS        float64 `json:"ms,omitempty"` // how long the ack took
	SID       string  `json:"sid,omitempty"`
	Namespace string  `json:"namespace,omitempty"`
	Transport string  `json:"transport,omitempty"`
	Recovered bool    `json:"recovered,omitempty"`
	Reason    string  `json:"reason,omitempty"`
	Attempt   int     `json:"attempt,omitempty"`
	Error     string  `json:"error,omitempty"`
	Hint      string  `json:"hint,omitempty"`
	Path      string  `json:"path,omitempty"` // of a file that was saved

	// Of recordings.
	Version int    `json:"version,omitempty"`
	URL     string `json:"url,omitempty"`
	Time    string `json:"time,omitempty"`
}

// binaryKey marks bytes, which JSON has not: {"$binary": "base64"}.
const binaryKey = "$binary"

// encode returns a record as a line, without its end.
func (r record) encode() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	out := r
	out.Args = nil
	for _, a := range r.Args {
		out.Args = append(out.Args, wrapBytes(a))
	}
	if err := enc.Encode(out); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// wrapBytes returns v with objects in place of bytes. It changes nothing in v.
func wrapBytes(v any) any {
	switch v := v.(type) {
	case []byte:
		return map[string]any{binaryKey: base64.StdEncoding.EncodeToString(v)}
	case []any:
		c := make([]any, len(v))
		for i := range v {
			c[i] = wrapBytes(v[i])
		}
		return c
	case map[string]any:
		c := make(map[string]any, len(v))
		for k := range v {
			c[k] = wrapBytes(v[k])
		}
		return c
	}
	return v
}

func unwrapBytes(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case []any:
		for i := range v {
			if v[i], err = unwrapBytes(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		if text, ok := v[binaryKey].(string); ok && len(v) == 1 {
			b, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", binaryKey, err)
			}
			return b, nil
		}
		for k := range v {
			if v[k], err = unwrapBytes(v[k]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

// decodeRecord reads a line of input: a record, or the short form of an emit,
// ["event", arguments…].
func decodeRecord(text []byte) (record, error) {
	var r record
	text = bytes.TrimSpace(text)
	if !utf8.Valid(text) {
		return r, errors.New("it is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if len(text) > 0 && text[0] == '[' {
		var list []any
		if err := dec.Decode(&list); err != nil {
			return r, err
		}
		event, ok := at(list, 0).(string)
		if !ok {
			return r, errors.New("the first element is the event's name, a string")
		}
		r = record{Type: typeEmit, Event: event, Args: list[1:]}
	} else if err := dec.Decode(&r); err != nil {
		return r, err
	}
	if dec.More() {
		return r, errors.New("one value a line")
	}
	if r.Type == "" {
		r.Type = typeEmit
	}
	for i := range r.Args {
		a, err := unwrapBytes(numbers(r.Args[i]))
		if err != nil {
			return r, err
		}
		r.Args[i] = a
	}
	r.ID = numbers(r.ID)
	switch r.ID.(type) {
	case nil, string, int64, float64:
	default:
		return r, errors.New("id is a string or a number")
	}
	switch r.Type {
	case typeEmit:
		if r.Event == "" {
			return r, errors.New(`an emit needs "event"`)
		}
	case typeAnswer:
		if r.ID == nil {
			return r, errors.New(`an answer needs the "id" of the event`)
		}
	}
	return r, nil
}

func at(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}
