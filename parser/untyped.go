package parser

import (
	"encoding/json"
	"strconv"

	"github.com/sockeye-go/socketio/internal/jsontext"
)

// any reads the value here as encoding/json would into an empty interface,
// except that placeholders become []byte.
func (d *decoder) any(depth int) (any, error) {
	if depth > maxWalkDepth {
		return nil, ErrTooDeep
	}
	switch d.peek() {
	case '[':
		list := []any{}
		for more := d.enter(); more; {
			v, err := d.any(depth + 1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
			if more, err = d.next(']'); err != nil {
				return nil, err
			}
		}
		return list, nil
	case '{':
		return d.anyObject(depth)
	}
	raw, err := d.take()
	if err != nil {
		return nil, err
	}
	switch c := raw[0]; c {
	case '"':
		return string(jsontext.Unquote(raw)), nil
	case 't', 'f':
		return c == 't', nil
	case 'n':
		return nil, nil
	}
	if f, err := strconv.ParseFloat(string(raw), 64); err == nil {
		return f, nil
	}
	var v any
	err = json.Unmarshal(raw, &v)
	return v, err
}

// anyObject reads an object or what it stands for. An illegal placeholder is
// noted only, as it may be part of another one, which nobody looks into.
func (d *decoder) anyObject(depth int) (any, error) {
	before := d.illegal
	members := map[string]any{}
	var p placeholder
	for more := d.enter(); more; {
		key, err := d.key()
		if err != nil {
			return nil, err
		}
		start := d.pos
		v, err := d.any(depth + 1)
		if err != nil {
			return nil, err
		}
		if len(d.attachments) > 0 {
			p.note(key, d.data[start:d.pos])
		}
		members[string(key)] = v
		if more, err = d.next('}'); err != nil {
			return nil, err
		}
	}
	if !p.is {
		return members, nil
	}
	i, ok := p.index(len(d.attachments))
	if d.illegal = before || !ok; !ok {
		return nil, nil
	}
	return d.attachments[i], nil
}
