package socketio

import "github.com/sockeye-go/socketio/engineio"

// A DisconnectReason says why a socket left. The strings are those of the
// JavaScript API, so that logs and dashboards of both line up. It is an error,
// so that it can be the cause of a socket's context.
type DisconnectReason string

// The reasons of the server ("Server API", disconnect).
const (
	TransportError     DisconnectReason = "transport error"             // the connection failed, or the client broke the protocol of the engine
	TransportClose     DisconnectReason = "transport close"             // the client went away
	ForcedClose        DisconnectReason = "forced close"                // this server closed the connection
	PingTimeout        DisconnectReason = "ping timeout"                // the client did not answer a ping
	ParseError         DisconnectReason = "parse error"                 // the client sent a packet that is none
	ServerShuttingDown DisconnectReason = "server shutting down"        // Shutdown or Close
	ForcedServerClose  DisconnectReason = "forced server close"         // this server closed a polling connection
	ClientDisconnect   DisconnectReason = "client namespace disconnect" // the client called disconnect()
	ServerDisconnect   DisconnectReason = "server namespace disconnect" // Socket.Disconnect
)

func (r DisconnectReason) Error() string { return "socketio: disconnected: " + string(r) }

// Is makes errors.Is(err, ErrDisconnected) hold for every reason.
func (r DisconnectReason) Is(target error) bool { return target == ErrDisconnected }

// reasonOf translates; the words are the same.
func reasonOf(r engineio.Reason) DisconnectReason { return DisconnectReason(r) }
