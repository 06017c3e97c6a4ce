package auth

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/sockeye-go/socketio"
)

// A Reason says why a client was refused.
type Reason string

// The reasons.
const (
	NoToken      Reason = "no token provided"
	InvalidToken Reason = "invalid token"
	Expired      Reason = "expired"
	OtherUser    Reason = "other user"  // of a refresh
	Unavailable  Reason = "unavailable" // no key set could be fetched: not the client's fault
)

// messages are the texts that existing pages know.
var messages = map[Reason]string{
	NoToken:      "Authentication error: No token provided",
	InvalidToken: "Authentication error: Invalid token",
	Expired:      "Authentication error: Token expired",
	OtherUser:    "Authentication error: Token of another user",
	Unavailable:  "Authentication error: Temporarily unavailable",
}

// A Refusal is the data of a connect_error, and of the error in the ack of
// "auth refresh".
type Refusal struct {
	Reason Reason `json:"reason"`
}

// An Expiry is the argument of "auth expiring" and the answer to "auth refresh".
type Expiry struct {
	ExpiresAt int64 `json:"expiresAt"` // milliseconds since 1970; 0: never
}

// A Refresh is the argument of "auth refresh".
type Refresh struct {
	Token string `json:"token"`
}

// The events of this package.
var (
	Expiring = socketio.NewEvent[Expiry]("auth expiring")
	Ended    = socketio.NewEvent[socketio.None]("auth expired")
	Renew    = socketio.NewEventWithAck[Refresh, Expiry]("auth refresh")
)

// A Namespace is what a [Guard] protects: a server, a namespace or a parent of
// dynamic namespaces.
type Namespace interface {
	socketio.Registrar
	Use(socketio.ConnectFunc)
	OnConnection(func(context.Context, *socketio.Socket) error)
	OnDisconnect(func(context.Context, *socketio.Socket, socketio.DisconnectReason))
}

// A Guard admits sockets with a valid token and puts the user of type U under a
// key. It is safe for concurrent use. A socket whose token ends costs one timer.
type Guard[U any] struct {
	verifier *verifier
	key      socketio.Key[U]
	user     func(context.Context, *Claims) (U, error)
	warn     time.Duration
	leeway   time.Duration
	session  socketio.LocalKey[*session]
}

// New makes a Guard. user finds the user of a valid token; a
// [*socketio.ConnectError] of it is what the client reads, any other error
// is "invalid token". New panics with the field's name on bad options.
func New[U any](key socketio.Key[U], user func(context.Context, *Claims) (U, error), o *Options) *Guard[U] {
	g := &Guard[U]{verifier: o.verifier(), key: key, user: user, warn: o.WarnBefore, leeway: o.Leeway,
		session: socketio.NewLocalKey[*session]()}
	if g.warn == 0 {
		g.warn = time.Minute
	}
	return g
}

// Subject is a user function for programs that need no more than the subject.
func Subject(_ context.Context, c *Claims) (string, error) { return c.Subject, nil }

// Protect lets sockets into n that [Guard.Connect] admits, cuts those whose token
// has ended, and registers the handler of "auth refresh".
func (g *Guard[U]) Protect(n Namespace) {
	n.Use(g.Connect)
	n.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		if v, ok := g.session.Get(s); ok {
			v.start()
		}
		return nil
	})
	n.OnDisconnect(func(_ context.Context, s *socketio.Socket, _ socketio.DisconnectReason) {
		if v, ok := g.session.Get(s); ok {
			v.stop()
		}
	})
	// Concurrent: a handler that takes long must not cost the client its socket.
	Renew.Handle(n, g.refresh, socketio.Concurrent)
}

// Connect is the middleware alone: it checks the token once and does not end the
// socket when the token ends.
func (g *Guard[U]) Connect(ctx context.Context, s *socketio.Socket) error {
	token, err := tokenOf(s)
	if err != nil {
		return refuse(InvalidToken, err)
	}
	if token == "" {
		return refuse(NoToken, nil)
	}
	claims, user, err := g.check(ctx, token)
	if err != nil {
		return err
	}
	if claims.Subject != "" {
		if err := s.Join(room(claims.Subject)); err != nil {
			return err
		}
	}
	g.key.Set(s, user)
	g.session.Set(s, &session{socket: s, subject: claims.Subject, warn: g.warn, leeway: g.leeway, wall: g.verifier.wall, expires: claims.ExpiresAt})
	return nil
}

// Verify checks a token that came another way, in a request of HTTP for one.
func (g *Guard[U]) Verify(ctx context.Context, token string) (*Claims, error) {
	return g.verifier.verify(ctx, token)
}

func (g *Guard[U]) check(ctx context.Context, token string) (c *Claims, user U, err error) {
	c, err = g.verifier.verify(ctx, token)
	switch {
	case errors.Is(err, errExpired):
		return nil, user, refuse(Expired, err)
	case errors.Is(err, errUnavailable):
		return nil, user, refuse(Unavailable, err)
	case err != nil:
		return nil, user, refuse(InvalidToken, err)
	}
	user, err = g.user(ctx, c)
	if err != nil {
		if own, ok := errors.AsType[*socketio.ConnectError](err); ok {
			return nil, user, own
		}
		return nil, user, refuse(InvalidToken, err)
	}
	return c, user, nil
}

// refresh takes a new token for the same user.
func (g *Guard[U]) refresh(ctx context.Context, s *socketio.Socket, in Refresh) (Expiry, error) {
	v, ok := g.session.Get(s)
	if !ok { // another guard's namespace, or none
		return Expiry{}, ackError(refuse(InvalidToken, nil))
	}
	if in.Token == "" {
		return Expiry{}, ackError(refuse(NoToken, nil))
	}
	claims, user, err := g.check(ctx, in.Token)
	if err != nil {
		return Expiry{}, ackError(err)
	}
	if claims.Subject != v.subject {
		return Expiry{}, ackError(refuse(OtherUser, nil))
	}
	g.key.Set(s, user)
	v.extend(claims.ExpiresAt)
	return expiry(claims.ExpiresAt), nil
}

func refuse(r Reason, cause error) error {
	return &socketio.ConnectError{Message: messages[r], Data: Refusal{r}, Err: cause}
}

// ackError says in an ack what refuse says in a connect_error.
func ackError(err error) error {
	refusal, ok := errors.AsType[*socketio.ConnectError](err)
	if !ok {
		return err
	}
	return &socketio.AckError{Code: "unauthorized", Message: refusal.Message, Data: refusal.Data}
}

func expiry(t time.Time) Expiry {
	if t.IsZero() {
		return Expiry{}
	}
	return Expiry{t.UnixMilli()}
}

// tokenOf finds the token of a socket; "" if it brought none.
func tokenOf(s *socketio.Socket) (string, error) {
	var payload struct {
		Token *string `json:"token"`
	}
	if err := s.DecodeAuth(&payload); err != nil {
		return "", err
	}
	if payload.Token != nil && *payload.Token != "" {
		return strings.TrimPrefix(*payload.Token, "Bearer "), nil
	}
	// The header is gone for the second namespace of a connection unless
	// Options.KeepHeaders names it; there is no token then.
	header, err := s.Header("Authorization")
	if err != nil {
		return "", nil
	}
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", nil
	}
	return strings.TrimSpace(token), nil
}

// UserRoom is what the names of the rooms of users begin with. A program that
// lets clients choose the names of rooms must not let them choose such a one.
const UserRoom = "auth:user:"

func room(subject string) string { return UserRoom + subject }

// ToUser selects the sockets of users, by the subject of their tokens, on all
// nodes. n is a server, a namespace, or a socket, which it then leaves out.
func ToUser(n interface {
	To(rooms ...string) *socketio.BroadcastOperator
}, subjects ...string) *socketio.BroadcastOperator {
	rooms := make([]string, len(subjects))
	for i, s := range subjects {
		rooms[i] = room(s)
	}
	return n.To(rooms...)
}
