package main

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/sockeye-go/socketio"
)

// A list is one name or several, as JavaScript takes both.
type list []string

func (l *list) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*l = list{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(l))
}

// roomWords answers the words about rooms and the sockets in them.
func roomWords(s *socketio.Socket) {
	s.On("join", func(_ context.Context, m *socketio.Message) error {
		var rooms list
		if err := m.Decode(&rooms); err != nil {
			return err
		}
		if err := s.Join(rooms...); err != nil {
			return err
		}
		return m.Ack(others(s))
	})
	s.On("leave", func(_ context.Context, m *socketio.Message) error {
		var room string
		if err := m.Decode(&room); err != nil {
			return err
		}
		s.Leave(room)
		return m.Ack(others(s))
	})
	s.On("send", func(_ context.Context, m *socketio.Message) error {
		var sel selection
		if err := m.Decode(&sel); err != nil {
			return err
		}
		if err := sel.target(s).Emit(sel.Event, sel.Args...); err != nil || !m.WantsAck() {
			return err
		}
		return m.Ack()
	})

	type members struct {
		Rooms []string
		Into  list
		From  list
		Close bool
	}
	on := func(event string, f func(context.Context, *socketio.Message, *socketio.BroadcastOperator, members) error) {
		s.On(event, func(ctx context.Context, m *socketio.Message) error {
			var in members
			if err := m.Decode(&in); err != nil {
				return err
			}
			op := s.Namespace().Compress(true)
			for _, room := range in.Rooms {
				op = op.To(room)
			}
			return f(ctx, m, op, in)
		})
	}
	on("fetch", func(ctx context.Context, m *socketio.Message, op *socketio.BroadcastOperator, _ members) error {
		found, err := op.FetchSockets(ctx)
		if err != nil {
			return err
		}
		ids := []string{}
		for _, r := range found {
			ids = append(ids, r.ID())
		}
		slices.Sort(ids)
		return m.Ack(ids)
	})
	on("members join", func(_ context.Context, m *socketio.Message, op *socketio.BroadcastOperator, in members) error {
		if err := op.SocketsJoin(in.Into...); err != nil {
			return err
		}
		return m.Ack()
	})
	on("members leave", func(_ context.Context, m *socketio.Message, op *socketio.BroadcastOperator, in members) error {
		if err := op.SocketsLeave(in.From...); err != nil {
			return err
		}
		return m.Ack()
	})
	on("members disconnect", func(_ context.Context, _ *socketio.Message, op *socketio.BroadcastOperator, in members) error {
		return op.DisconnectSockets(in.Close)
	})
	s.On("kick", func(_ context.Context, m *socketio.Message) error {
		var in members
		if err := m.Decode(&in); err != nil {
			return err
		}
		s.Disconnect(in.Close)
		return nil
	})
}
