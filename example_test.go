package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/rawclient"
)

// A line of the chat, as JavaScript sees it.
type Line struct {
	From string `json:"from"`
	Text string `json:"text"`
}

var (
	Chat  = socketio.NewEvent[Line]("chat message")
	Enter = socketio.NewEventWithAck[string, int]("enter") // a room; the answer is how many are in it
)

// A chat: a client enters a room, and what it says reaches the others in there.
func Example() {
	srv := socketio.NewServer(nil)
	Enter.Handle(srv, func(ctx context.Context, s *socketio.Socket, room string) (int, error) {
		if room == "" {
			return 0, &socketio.AckError{Code: "bad_room", Message: "a room needs a name"}
		}
		err := s.Join(room)
		return srv.RoomSize(room), err
	})
	Chat.Handle(srv, func(ctx context.Context, s *socketio.Socket, in Line) error {
		return Chat.Emit(s.To(s.Rooms()...), in)
	})
	// http.Handle("/socket.io/", srv)

	ann, bob := connect(srv, "/", ""), connect(srv, "/", "")
	ann.send(`20["enter","lobby"]`) // emit("enter", "lobby", callback)
	fmt.Println("ann:", ann.next())
	bob.send(`20["enter","lobby"]`)
	fmt.Println("bob:", bob.next())
	bob.send(`21["enter",""]`)
	fmt.Println("bob:", bob.next())
	ann.send(`2["chat message",{"from":"ann","text":"hello"}]`)
	fmt.Println("bob:", bob.next())
	// Output:
	// ann: 30[1]
	// bob: 30[2]
	// bob: 31[{"error":{"code":"bad_room","message":"a room needs a name"}}]
	// bob: 2["chat message",{"from":"ann","text":"hello"}]
}

// A namespace that only those join who bring a token. What a ConnectError says
// reaches the client's connect_error; any other error stays on the server.
func ExampleConnectError() {
	user := socketio.NewKey[string]("user")
	whoami := socketio.NewEventWithAck[socketio.None, string]("whoami")

	srv := socketio.NewServer(&socketio.Options{Logger: slog.New(slog.DiscardHandler)})
	admin := srv.Of("/admin")
	admin.Use(func(ctx context.Context, s *socketio.Socket) error {
		var auth struct{ Token string }
		if err := s.DecodeAuth(&auth); err != nil {
			return err // the client reads "internal error"
		}
		if auth.Token != "s3cret" {
			return &socketio.ConnectError{
				Message: "not authorized",
				Data:    map[string]string{"code": "E401"},
				Err:     errors.New("wrong token"), // for the log
			}
		}
		user.Set(s, "ann")
		return nil
	})
	whoami.Handle(admin, func(ctx context.Context, s *socketio.Socket, _ socketio.None) (string, error) {
		name, _ := user.Get(s)
		return name, nil
	})

	c := open(srv)
	c.send(`0/admin,{"token":"guess"}`) // io("/admin", {auth: {token: "guess"}})
	fmt.Println(c.next())
	c.send(`0/admin,{"token":7}`)
	fmt.Println(c.next())

	c = connect(srv, "/admin", `{"token":"s3cret"}`)
	c.send(`2/admin,0["whoami"]`)
	fmt.Println(c.next())
	// Output:
	// 4/admin,{"message":"not authorized","data":{"code":"E401"}}
	// 4/admin,{"message":"internal error"}
	// 3/admin,0["ann"]
}

// A broadcast that all who get it answer, and what is known when one of them
// left without.
func ExampleEventWithAck_Broadcast() {
	vote := socketio.NewEventWithAck[string, bool]("vote")
	srv := socketio.NewServer(nil)
	var clients []*peer
	for range 3 {
		clients = append(clients, connect(srv, "/", ""))
	}
	asked := make(chan struct{})
	srv.OnAnyOutgoing(func(*socketio.Socket, string, []any) { asked <- struct{}{} })
	go func() { // the clients
		for range clients {
			<-asked
		}
		clients[0].send(`30[true]`)
		clients[1].send(`30[false]`)
		clients[2].send(`1`) // disconnect()
	}()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var answers []string
	for yes, err := range vote.Broadcast(ctx, srv.Except("muted"), "lunch?") {
		var partial *socketio.PartialAckError
		if errors.As(err, &partial) {
			answers = append(answers, fmt.Sprint("without an answer: ", partial.Missing))
			break
		}
		answers = append(answers, fmt.Sprint(yes))
	}
	slices.Sort(answers)
	fmt.Println(strings.Join(answers, ", "))
	// Output: false, true, without an answer: 1
}

// Several arguments are the fields of a struct.
func ExamplePositional() {
	type Move struct {
		socketio.Positional
		X, Y int
	}
	move := socketio.NewEvent[Move]("move")
	srv := socketio.NewServer(nil)
	move.Handle(srv, func(ctx context.Context, s *socketio.Socket, in Move) error {
		in.X++
		return move.Emit(s, in)
	})
	c := connect(srv, "/", "")
	c.send(`2["move",3,4]`) // emit("move", 3, 4)
	fmt.Println(c.next())
	// Output: 2["move",4,4]
}

// A peer is a client that shows the packets: the documentation is about the
// server, and what is between it and JavaScript's socket.on and socket.emit.
type peer struct{ c *rawclient.WebSocket }

// open connects over WebSocket, to a server on loopback that lives as long as
// the test binary.
func open(srv *socketio.Server) *peer {
	hs := httptest.NewServer(srv)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second) // for all of the conversation
	defer cancel()
	c, err := rawclient.DialWebSocket(ctx, hs.URL+"/socket.io/")
	if err != nil {
		panic(err)
	}
	exampleServers = append(exampleServers, func() {
		c.Close()
		srv.Close()
		hs.Close()
	})
	return &peer{c}
}

// exampleServers are ended by TestMain.
var exampleServers []func()

// connect joins a namespace as well.
func connect(srv *socketio.Server, namespace, auth string) *peer {
	p := open(srv)
	nsp := ""
	if namespace != "/" {
		nsp = namespace + ","
	}
	p.send("0" + nsp + auth)
	if got := p.next(); !strings.HasPrefix(got, "0"+nsp+`{"sid":`) {
		panic("not connected: " + got)
	}
	return p
}

// send sends one Socket.IO packet.
func (p *peer) send(packet string) {
	if err := p.c.Send(context.Background(), "4"+packet); err != nil {
		panic(err)
	}
}

// next waits for one.
func (p *peer) next() string {
	packet, err := p.c.Expect(context.Background(), "4")
	if err != nil {
		panic(err)
	}
	return packet[1:]
}
