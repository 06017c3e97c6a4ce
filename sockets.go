package socketio

import "slices"

// sockets are those of a connection: one for most, or a few.
type sockets struct {
	first *Socket    // nil if there is none
	more  *[]*Socket // nil if there is no other
}

func (ss *sockets) all() []*Socket {
	switch {
	case ss.first == nil:
		return nil
	case ss.more == nil:
		return []*Socket{ss.first}
	}
	return append([]*Socket{ss.first}, *ss.more...)
}

func (ss *sockets) len() int {
	switch {
	case ss.first == nil:
		return 0
	case ss.more == nil:
		return 1
	}
	return 1 + len(*ss.more)
}

func (ss *sockets) add(s *Socket) {
	switch {
	case ss.first == nil:
		ss.first = s
	case ss.more == nil:
		ss.more = &[]*Socket{s}
	default:
		*ss.more = append(*ss.more, s)
	}
}

// place returns where s is, nil if it is not there.
func (ss *sockets) place(s *Socket) **Socket {
	if ss.first == s {
		return &ss.first
	}
	if ss.more != nil {
		if i := slices.Index(*ss.more, s); i >= 0 {
			return &(*ss.more)[i]
		}
	}
	return nil
}

// remove takes s away; the last one gets its place.
func (ss *sockets) remove(s *Socket) {
	at := ss.place(s)
	if at == nil {
		return
	}
	if ss.more == nil {
		ss.first = nil
		return
	}
	last := len(*ss.more) - 1
	*at = (*ss.more)[last]
	(*ss.more)[last] = nil
	if *ss.more = (*ss.more)[:last]; last == 0 {
		ss.more = nil
	}
}

// of returns the socket of a namespace, nil if there is none.
func (ss *sockets) of(namespace []byte) *Socket {
	if s := ss.first; s == nil || s.nsp.name == string(namespace) {
		return s
	}
	if ss.more != nil {
		for _, s := range *ss.more {
			if s.nsp.name == string(namespace) {
				return s
			}
		}
	}
	return nil
}
