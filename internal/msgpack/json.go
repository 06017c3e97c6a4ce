package msgpack

import (
	"bytes"
	"encoding/base64"
	"math"
	"strconv"

	"github.com/sockeye-go/socketio/internal/jsontext"
	"github.com/sockeye-go/socketio/parser"
)

// AppendJSON turns the one value in raw into the JSON that JSON.stringify would
// have made of it, in one pass and with its members in their order: binary data is
// base64, a Date is text, what JSON has no form for is null.
func AppendJSON(dst, raw []byte) ([]byte, error) {
	if Skip(raw, maxDecodeDepth) != len(raw) {
		return dst, errMalformed
	}
	d := decoder{data: raw}
	return d.json(dst, nil), nil
}

// ToJSON is AppendJSON with a placeholder for each piece of binary data, as a
// Socket.IO packet has it. The attachments share nothing with raw. What nests
// deeper than depth is an error.
func ToJSON(raw []byte, depth int) (text []byte, attachments [][]byte, err error) {
	switch n := Skip(raw, depth); {
	case n == TooDeep:
		return nil, nil, parser.ErrTooDeep
	case n != len(raw):
		return nil, nil, errMalformed
	}
	d := decoder{data: raw}
	text = d.json(make([]byte, 0, len(raw)+len(raw)/4+16), &attachments)
	return text, attachments, nil
}

// json takes a value. Binary data is added to attachments, if there are such.
func (d *decoder) json(dst []byte, attachments *[][]byte) []byte {
	h := d.head()
	switch h.Kind {
	case Bool:
		return strconv.AppendBool(dst, h.Int == 1)
	case Int, Uint:
		return appendNumberText(dst, &h)
	case Float:
		if math.IsNaN(h.F) || math.IsInf(h.F, 0) {
			break
		}
		return jsontext.AppendNumber(dst, h.F, 64)
	case String:
		return jsontext.AppendText(dst, h.Data)
	case Binary:
		return appendAttachment(dst, h.Data, attachments)
	case Extension:
		if attachments == nil {
			return appendAttachment(dst, h.Data, nil)
		}
		dst = append(strconv.AppendInt(append(dst, '['), int64(h.Type), 10), ',') // as notepack has it
		return append(appendAttachment(dst, h.Data, attachments), ']')
	case Date:
		return append(h.Time().AppendFormat(append(dst, '"'), isoDate), '"')
	case Array:
		dst = append(dst, '[')
		for i := range h.Len {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = d.json(dst, attachments)
		}
		return append(dst, ']')
	case Map:
		dst = append(dst, '{')
		comma := false
		for range h.Len {
			key := d.head()
			if d.undefined() {
				continue
			}
			if comma {
				dst = append(dst, ',')
			}
			comma = true
			dst = append(jsontext.AppendText(dst, key.key()), ':')
			dst = d.json(dst, attachments)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

func appendAttachment(dst, data []byte, attachments *[][]byte) []byte {
	if attachments == nil {
		dst = base64.StdEncoding.AppendEncode(append(dst, '"'), data)
		return append(dst, '"')
	}
	dst = append(dst, `{"_placeholder":true,"num":`...)
	dst = strconv.AppendInt(dst, int64(len(*attachments)), 10)
	*attachments = append(*attachments, bytes.Clone(data))
	return append(dst, '}')
}
