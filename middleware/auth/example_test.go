package auth_test

import (
	"context"
	"net/http"
	"os"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/middleware/auth"
)

// Account is what the program knows of a user.
type Account struct {
	ID    string `json:"id"`
	Admin bool   `json:"admin"`
}

// User is where handlers find the account: User.Get(s).
var User = socketio.NewKey[Account]("user")

// A namespace for those with a token of the company, whose claims say who is an
// administrator, and a notice to one user on all devices.
func Example() {
	guard := auth.New(User, func(ctx context.Context, c *auth.Claims) (Account, error) {
		a := Account{ID: c.Subject}
		return a, c.Decode(&a) // {"admin": true} among the claims
	}, &auth.Options{
		KeySets:  []string{"https://login.example.com/.well-known/jwks.json"},
		Issuer:   "https://login.example.com/",
		Audience: "chat",
	})

	srv := socketio.NewServer(nil)
	guard.Protect(srv)

	notice := socketio.NewEvent[string]("notice")
	notice.Handle(srv, func(ctx context.Context, s *socketio.Socket, text string) error {
		if user, _ := User.Get(s); !user.Admin {
			return &socketio.AckError{Code: "forbidden", Message: "administrators only"}
		}
		return notice.Emit(auth.ToUser(srv, "ada", "bob"), text)
	})
	http.Handle("/socket.io/", srv)
}

// A secret that issuer and server share.
func ExampleNew_secret() {
	user := socketio.NewKey[string]("user")
	guard := auth.New(user, auth.Subject, &auth.Options{Secret: []byte(os.Getenv("JWT_SECRET_OF_32_BYTES_OR_MORE_"))})
	socketio.NewServer(nil).Of("/admin").Use(guard.Connect) // checked once, at the door
}
