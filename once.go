package socketio

// Effectively-once delivery from this module's Go client: see docs/adr.

// OnceHeader is the header of the handshake by which a client that repeats its
// sends says who it is: 22 characters that nobody else can guess, the same for
// all its connections. Package client sends it.
const OnceHeader = "Socketio-Once"

// FirstOnceID is the smallest packet id of a send that a client repeats under
// the same id until it is acknowledged.
const FirstOnceID int64 = 1 << 30
