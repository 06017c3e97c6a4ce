package parser

import (
	"bytes"
	"strconv"
	"unicode/utf8"

	"github.com/sockeye-go/socketio/internal/jsontext"
)

type jsonParser struct{}

// JSON is the default parser of every Socket.IO implementation: text heads
// with JSON payloads, attachments beside them. Values follow encoding/json,
// without its escaping of HTML.
var JSON Parser = jsonParser{}

// Decode reads a head. What the original coerces into a number, such as a
// space for an ID or "1e0" for a count, is refused: no client writes it.
func (j jsonParser) Decode(data []byte, binary bool, lim *Limits) (p Packet, err error) {
	err = j.DecodeTo(&p, data, binary, lim)
	return p, err
}

// DecodeTo is Decode into *p, whose Args lend their memory.
func (jsonParser) DecodeTo(p *Packet, data []byte, binary bool, lim *Limits) error {
	args := p.Args[:0]
	*p = Packet{}
	if binary {
		return ErrUnexpectedBinary
	}
	if !utf8.Valid(data) {
		// Where the original decodes text it does the same. A WebSocket
		// never gets here: there it is the transport that refuses it.
		data = jsontext.Repair(data)
	}
	if len(data) == 0 || data[0] < '0' || data[0] > '6' {
		if len(data) == 0 {
			return errNotANumber
		}
		return unknownType(data[0])
	}
	if err := p.head(data, args, lim); err != nil {
		*p = Packet{}
		return err
	}
	return nil
}

// head reads a head whose first byte is a packet type.
func (p *Packet) head(data []byte, args [][]byte, lim *Limits) (err error) {
	*p = Packet{Type: Type(data[0] - '0'), Namespace: rootNamespace, ID: NoID}
	rest := data[1:]
	if p.Type >= BinaryEvent {
		p.Type -= BinaryEvent - Event
		if p.Pending, rest, err = cutCount(rest, limit(lim, maxAttachments)); err != nil {
			return err
		}
	}
	if len(rest) > 0 && rest[0] == '/' {
		p.Namespace, rest, _ = bytes.Cut(rest, []byte(","))
		if len(p.Namespace) > limit(lim, maxNamespace) {
			return ErrNamespaceTooLong
		}
	}
	if p.ID, rest, err = cutID(rest); err != nil {
		return err
	}
	if len(rest) == 0 {
		return nil // the original lets it pass for every type
	}
	if err := p.payload(rest, args, lim); err != nil {
		return err
	}
	if p.Pending > 0 {
		claimed := claim{n: p.Pending}
		for _, arg := range p.Args {
			if !claimed.legal(arg) {
				return ErrIllegalAttachments
			}
		}
	}
	return nil
}

// cutCount reads the number of attachments and the dash behind it.
func cutCount(b []byte, limit int) (int, []byte, error) {
	end := jsontext.SkipDigits(b, 0)
	if end == 0 || end == len(b) || b[end] != '-' {
		return 0, nil, ErrIllegalAttachmentCount
	}
	n := 0
	for _, c := range b[:end] {
		if n = n*10 + int(c-'0'); n > limit {
			return 0, nil, ErrTooManyAttachments
		}
	}
	if n == 0 {
		return 0, nil, ErrIllegalAttachmentCount
	}
	return n, b[end+1:], nil
}

// cutID reads the packet ID, if there is one.
func cutID(b []byte) (int64, []byte, error) {
	end := jsontext.SkipDigits(b, 0)
	if end == 0 {
		return NoID, b, nil
	}
	var id int64
	for _, c := range b[:end] {
		if id = id*10 + int64(c-'0'); id > MaxID {
			return 0, nil, ErrInvalidID
		}
	}
	return id, b[end:], nil
}

// payload reads what follows the header, in one pass.
func (p *Packet) payload(b []byte, args [][]byte, lim *Limits) error {
	depth := limit(lim, maxDepth)
	i := jsontext.SkipSpace(b, 0)
	if i == len(b) {
		return ErrInvalidPayload
	}
	switch p.Type {
	case Disconnect:
		return ErrInvalidPayload
	case Connect, ConnectError:
		if b[i] != '{' && (p.Type == Connect || b[i] != '"') {
			return ErrInvalidPayload
		}
		end := jsontext.Skip(b, i, depth)
		if end < 0 {
			return scanError(end)
		}
		if jsontext.SkipSpace(b, end) != len(b) {
			return ErrInvalidPayload
		}
		p.Args = [][]byte{b[i:end:end]}
		return nil
	}
	return p.arguments(b, i, depth, args, lim)
}

// arguments splits the array at b[i].
func (p *Packet) arguments(b []byte, i, depth int, room [][]byte, lim *Limits) error {
	if b[i] != '[' {
		return ErrInvalidPayload
	}
	var few [8][]byte
	args, most := few[:0], limit(lim, maxArguments)
	named := p.Type != Event
	i = jsontext.SkipSpace(b, i+1)
	if i < len(b) && b[i] == ']' && named {
		i++
	} else {
		for {
			end := jsontext.Skip(b, i, depth-1)
			if end < 0 {
				return scanError(end)
			}
			if !named {
				if err := p.name(b[i:end:end], limit(lim, maxEventName)); err != nil {
					return err
				}
				named = true
			} else if len(args) == most {
				return ErrTooManyArguments
			} else {
				args = append(args, b[i:end:end])
			}
			i = jsontext.SkipSpace(b, end)
			if i == len(b) || b[i] != ',' && b[i] != ']' {
				return ErrInvalidPayload
			}
			i++
			if b[i-1] == ']' {
				break
			}
			i = jsontext.SkipSpace(b, i)
		}
	}
	if jsontext.SkipSpace(b, i) != len(b) {
		return ErrInvalidPayload
	}
	if len(args) > 0 {
		p.Args = append(room[:0], args...)
	}
	return nil
}

// name takes the first element of an EVENT: a string, or a number, which
// stands for its text as keys of objects do in JavaScript.
func (p *Packet) name(raw []byte, limit int) error {
	switch c := raw[0]; {
	case c == '"':
		p.Event = jsontext.Unquote(raw)
		if IsReserved(string(p.Event)) {
			return ErrInvalidPayload
		}
	case jsontext.IsDigit(c) || c == '-':
		p.Event = raw
		if len(raw) > 15 || jsontext.SkipDigits(raw, 0) != len(raw) {
			f, _ := strconv.ParseFloat(string(raw), 64)
			p.Event = jsontext.AppendJSNumber(nil, f)
		}
	default:
		return ErrInvalidPayload
	}
	if len(p.Event) > limit {
		return ErrEventNameTooLong
	}
	return nil
}

// scanError is what a result of package jsontext that is not an index means.
func scanError(code int) error {
	if code == jsontext.TooDeep {
		return ErrTooDeep
	}
	return ErrInvalidPayload
}
