package socketio

// Join puts the socket into rooms, which need no creation. In middleware too;
// after the disconnect it does nothing. The error is [ErrTooManyRooms] or
// [ErrRoomNameTooLong], and then the socket joined none of them.
func (s *Socket) Join(rooms ...string) error {
	if s.member.Len()+len(rooms) > s.nsp.srv.opts.MaxRooms {
		return ErrTooManyRooms
	}
	for _, room := range rooms {
		if len(room) > s.nsp.srv.opts.MaxRoomName {
			return ErrRoomNameTooLong
		}
	}
	s.nsp.adapter.Join(s, rooms...)
	return nil
}

// Leave takes the socket out of rooms.
func (s *Socket) Leave(rooms ...string) { s.nsp.adapter.Leave(s, rooms...) }

// Rooms returns the rooms that the socket joined, in that order. The room of
// its own id, in which every socket is, is not among them. While OnDisconnecting
// runs they are those it was in; afterwards there are none.
func (s *Socket) Rooms() []string {
	if s.state.Load() != disconnected {
		return s.member.Rooms()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.was...)
}

// InRoom reports whether the socket is in room.
func (s *Socket) InRoom(room string) bool { return s.member.Has(room) }
