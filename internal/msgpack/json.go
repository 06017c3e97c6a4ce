package msgpack

import (
	"encoding/base64"
	"encoding/json"
	"math"
)

// AppendJSON turns a value that Skip has let pass into the JSON that encoding/json
// would have made of it: binary data is base64, a Date is text. What JSON has no
// form for is null, as for JSON.stringify.
func AppendJSON(dst, raw []byte) ([]byte, error) {
	switch n := Skip(raw, maxDecodeDepth); {
	case n != len(raw):
		return dst, errMalformed
	}
	d := decoder{data: raw}
	return d.json(dst)
}

func (d *decoder) json(dst []byte) ([]byte, error) {
	h := d.head()
	switch h.Kind {
	case Bool:
		if h.Int == 1 {
			return append(dst, "true"...), nil
		}
		return append(dst, "false"...), nil
	case Int, Uint:
		return append(dst, numberText(h)...), nil
	case Float:
		if math.IsNaN(h.F) || math.IsInf(h.F, 0) {
			return append(dst, "null"...), nil
		}
		return appendMarshaled(dst, h.F)
	case String:
		return appendMarshaled(dst, text(h.Data))
	case Binary, Extension:
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, h.Data)
		return append(dst, '"'), nil
	case Date:
		return append(append(append(dst, '"'), h.Time().Format(isoDate)...), '"'), nil
	case Array:
		dst = append(dst, '[')
		for i := range h.Len {
			if i > 0 {
				dst = append(dst, ',')
			}
			var err error
			if dst, err = d.json(dst); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	case Map:
		dst = append(dst, '{')
		comma := false
		for range h.Len {
			key := d.key()
			if d.undefined() {
				continue
			}
			if comma {
				dst = append(dst, ',')
			}
			comma = true
			var err error
			if dst, err = appendMarshaled(dst, key); err != nil {
				return dst, err
			}
			dst = append(dst, ':')
			if dst, err = d.json(dst); err != nil {
				return dst, err
			}
		}
		return append(dst, '}'), nil
	}
	return append(dst, "null"...), nil
}

func appendMarshaled(dst []byte, v any) ([]byte, error) {
	b, err := json.Marshal(v)
	return append(dst, b...), err
}
