package msgpack

import "iter"

// Elements yields the elements of an array that Skip has let pass, each whole; none
// if raw is something else.
func Elements(raw []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		h := ReadHead(raw)
		if h.Kind != Array {
			return
		}
		d := decoder{data: raw, pos: h.Size}
		for range h.Len {
			if !yield(d.take()) {
				return
			}
		}
	}
}

// Members is Elements for an object, with the keys as text. Members that are
// undefined are not there.
func Members(raw []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(key, value []byte) bool) {
		h := ReadHead(raw)
		if h.Kind != Map {
			return
		}
		d := decoder{data: raw, pos: h.Size}
		for range h.Len {
			key := d.head()
			if !d.undefined() && !yield(key.key(), d.take()) {
				return
			}
		}
	}
}
