package msgpack

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/sockeye-go/socketio/internal/jsontext"
	"github.com/sockeye-go/socketio/parser"
)

// FromJSON appends the MessagePack of JSON, with its members in their order. If
// there are attachments, a placeholder becomes the one that it stands for; none may
// be meant twice, so that little text does not become much data.
func FromJSON(dst, text []byte, attachments [][]byte) ([]byte, error) {
	text = bytes.TrimLeft(text, " \t\r\n")
	switch end := jsontext.Skip(text, 0, maxEncodeDepth); {
	case end == jsontext.TooDeep:
		return dst, parser.ErrTooDeep
	case end < 0: // encoding/json has the words for what is wrong
		var v json.RawMessage
		if err := json.Unmarshal(text, &v); err != nil {
			return dst, err
		}
		return dst, parser.ErrInvalidPayload
	case jsontext.SkipSpace(text, end) != len(text):
		return dst, &parser.EncodeError{Message: "JSON with something behind it"}
	}
	t := transcoder{text: text, dst: dst, attachments: attachments}
	t.sizes = sizesOf(text, t.room[:0])
	err := t.value()
	return t.dst, err
}

// A transcoder walks over JSON that is known to be valid.
type transcoder struct {
	text, dst   []byte
	pos         int
	sizes       []int // of the arrays and objects that are still to come
	room        [32]int
	attachments [][]byte
	taken       map[int]bool
}

// sizesOf appends how many elements each array and object has, in the order in
// which they begin: MessagePack says it first.
func sizesOf(text []byte, sizes []int) []int {
	var room [16]int
	open := room[:0] // indices in sizes
	for i := 0; i < len(text); {
		switch text[i] {
		case '"':
			i = jsontext.SkipString(text, i)
			continue
		case '[', '{':
			n := 1
			if c := text[jsontext.SkipSpace(text, i+1)]; c == ']' || c == '}' {
				n = 0
			}
			open = append(open, len(sizes))
			sizes = append(sizes, n)
		case ']', '}':
			open = open[:len(open)-1]
		case ',':
			sizes[open[len(open)-1]]++
		}
		i++
	}
	return sizes
}

func (t *transcoder) size() int {
	n := t.sizes[0]
	t.sizes = t.sizes[1:]
	return n
}

// space moves to what is not white space.
func (t *transcoder) space() { t.pos = jsontext.SkipSpace(t.text, t.pos) }

// take returns the scalar that begins here, and moves behind it.
func (t *transcoder) take() []byte {
	start := t.pos
	t.pos = jsontext.SkipScalar(t.text, start)
	return t.text[start:t.pos]
}

func (t *transcoder) value() (err error) {
	switch t.text[t.pos] {
	case '{':
		return t.object()
	case '[':
		n := t.size()
		t.dst = AppendArray(t.dst, n)
		t.pos++
		for range n {
			t.space()
			if err := t.value(); err != nil {
				return err
			}
			t.space()
			t.pos++ // a comma, or the end
		}
		if n == 0 {
			t.space()
			t.pos++
		}
	case '"':
		t.dst = AppendText(t.dst, jsontext.Unquote(t.take()))
	case 'n':
		t.take()
		t.dst = AppendNil(t.dst)
	case 't', 'f':
		t.dst = AppendBool(t.dst, len(t.take()) == len("true"))
	default:
		t.dst, err = appendNumber(t.dst, json.Number(t.take()))
	}
	return err
}

func (t *transcoder) object() error {
	start, n := len(t.dst), t.size()
	t.dst = AppendMap(t.dst, n)
	t.pos++
	var is bool    // a placeholder
	var num []byte // of which attachment
	for range n {
		t.space()
		key := jsontext.Unquote(t.take())
		t.dst = AppendText(t.dst, key)
		t.space()
		t.pos++ // the colon
		t.space()
		from := t.pos
		if err := t.value(); err != nil {
			return err
		}
		if len(t.attachments) > 0 {
			switch string(key) {
			case "_placeholder":
				is = string(t.text[from:t.pos]) == "true"
			case "num":
				num = t.text[from:t.pos]
			}
		}
		t.space()
		t.pos++
	}
	if n == 0 {
		t.space()
		t.pos++
	}
	if !is {
		return nil
	}
	i, err := strconv.Atoi(string(num))
	if err != nil || i < 0 || i >= len(t.attachments) || t.taken[i] {
		return &parser.EncodeError{Message: "a placeholder without its attachment"}
	}
	if t.taken == nil {
		t.taken = make(map[int]bool)
	}
	t.taken[i] = true
	t.dst = AppendBinary(t.dst[:start], t.attachments[i])
	return nil
}
