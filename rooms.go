package socketio

import "slices"

// Join puts the socket into rooms, which need no creation. In middleware too;
// after the disconnect it does nothing. The error is [ErrTooManyRooms] or
// [ErrRoomNameTooLong], and then the socket joined none of them.
func (s *Socket) Join(rooms ...string) error {
	if err := s.nsp.srv.checkRooms(rooms); err != nil {
		return err
	}
	fits := s.member.Fits(rooms...)
	if fits {
		s.nsp.adapter.Join(s, rooms...)
		// Another goroutine may have taken the room meanwhile.
		fits = len(rooms) == 0 || s.inAny(rooms) || s.state.Load() == disconnected
	}
	if !fits {
		s.nsp.srv.hit("MaxRooms")
		return ErrTooManyRooms
	}
	return nil
}

func (s *Socket) inAny(rooms []string) bool {
	return slices.ContainsFunc(rooms, func(room string) bool { return room == s.id || s.member.Has(room) })
}

// checkRooms holds names of rooms, which often come from clients, to their limit.
func (srv *Server) checkRooms(rooms []string) error {
	for _, room := range rooms {
		if len(room) > srv.opts.MaxRoomName {
			srv.hit("MaxRoomName")
			return ErrRoomNameTooLong
		}
	}
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
	return append([]string(nil), s.look().was...)
}

// InRoom reports whether the socket is in room.
func (s *Socket) InRoom(room string) bool { return s.member.Has(room) }
