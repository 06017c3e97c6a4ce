// Package rooms manages rooms that are more than a name: made with a limit, a
// password, data of their own, and a list of who is in them.
//
//	m := rooms.New(srv.Namespace, nil)
//	err := m.Create(ctx, rooms.Config{ID: "chess", MaxUsers: 2})
//	members, err := m.Join(ctx, s, "chess", rooms.Ticket{})
//	err = Say.Emit(m.To("chess"), line)
//
// A room lives on the node where it was made, its home, which decides who is let
// in; other nodes ask it through the adapter. So two who join for the last place on
// two nodes at once are one member and one [ErrFull]. With the node its rooms end. A
// room ends, too, when nobody has been in it for a while ([Options.KeepEmpty]).
//
// [Manager.Handle] speaks the events of the tutorials: "create room", "join room",
// "leave room", "room list".
package rooms
