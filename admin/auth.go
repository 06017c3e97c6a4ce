package admin

import (
	"context"
	"crypto/rand"
	"encoding/hex"

	"github.com/sockeye-go/socketio"
)

// login admits a page that has logged in before or does so now. A new login is
// told its id before the connection is confirmed, as the pages expect.
func (i *Instrumentation) login(ctx context.Context, s *socketio.Socket) error {
	var auth struct{ SessionID, Username, Password string }
	if err := s.DecodeAuth(&auth); err != nil {
		return &socketio.ConnectError{Message: "invalid credentials", Err: err}
	}
	if auth.SessionID != "" {
		known, err := i.opts.Sessions.Exists(ctx, auth.SessionID)
		if err != nil {
			return err
		}
		if known {
			return nil
		}
	}
	// A hash is made to be dear. One at a time, so that a flood of attempts takes
	// one core at the most.
	select {
	case i.checking <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	admitted := func() bool {
		defer func() { <-i.checking }() // also if it panics
		return i.opts.Auth(ctx, auth.Username, auth.Password)
	}()
	if !admitted {
		return &socketio.ConnectError{Message: "invalid credentials"}
	}
	var id [16]byte
	rand.Read(id[:])
	session := hex.EncodeToString(id[:])
	if err := i.opts.Sessions.Save(ctx, session); err != nil {
		return err
	}
	return s.Emit("session", session)
}
