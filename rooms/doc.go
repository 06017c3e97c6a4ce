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
// two nodes at once are one member and one [ErrFull]. A room ends when nobody has been
// in it for a while ([Options.KeepEmpty]).
//
// # When a home ends
//
// Each node with members keeps what the home knows of the room, and its own members.
// A server that shuts down hands its rooms over to other nodes. One that is killed is
// replaced when somebody next asks for the room and the adapter has noticed: until
// then the answer is [ErrUnavailable], as the home may still decide. All nodes pick
// the same successor among those with members, which asks the others for theirs and
// is the home when all have answered; its OnEvent is told of [Moved]. The members on
// the node that is gone are gone. A room that nobody is in on other nodes ends with
// its home, unless that hands it over.
//
// In a partition a room can have a home on each side. When the sides meet again, the
// one that took it over last keeps it, within some ten seconds: it takes in those who
// joined on the other side, even where that makes more than MaxUsers.
//
// [Manager.Handle] speaks the events of the tutorials: "create room", "join room",
// "leave room", "room list".
package rooms
