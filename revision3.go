package socketio

import (
	"bytes"
	"net/url"

	"github.com/sockeye-go/socketio/parser"
)

// Clients of Socket.IO 2 and older, which speak Engine.IO revision 3, differ in
// this layer too: they are in "/" without a CONNECT, put a query behind the
// name of a namespace where later ones send auth, know the ids of their sockets
// beforehand, and get the error of a middleware bare.

func (c *connection) revision3() bool { return c.sess.Protocol() == 3 }

// joinRoot puts a client of revision 3 into "/".
func (c *connection) joinRoot() {
	c.connect(parser.Packet{Type: parser.Connect, Namespace: []byte("/"), ID: parser.NoID})
	c.Flush(false)
}

// splitQuery moves the query behind a packet's namespace into its payload.
func (c *connection) splitQuery(p *parser.Packet) {
	name, query, found := bytes.Cut(p.Namespace, []byte("?"))
	p.Namespace = name
	if !found || p.Type != parser.Connect {
		return
	}
	values, _ := url.ParseQuery(string(query)) // what is malformed is left out
	auth := make(map[string]string, len(values))
	for k, v := range values {
		auth[k] = v[len(v)-1] // as the original
	}
	// Through the parser, whichever it is, as if the client had sent it.
	codec := c.srv.opts.Parser
	e, err := codec.Encode(parser.Header{Type: parser.Connect, ID: parser.NoID}, auth)
	if err != nil {
		return
	}
	if sent, err := codec.Decode(e.Head, e.HeadBinary, nil); err == nil {
		p.Args = sent.Args
	}
}

// socketID returns the id that a client of revision 3 takes for granted.
func (c *connection) socketID(namespace string) string {
	if namespace == "/" {
		return c.sess.ID()
	}
	return namespace + "#" + c.sess.ID()
}

// bareError is what a client of revision 3 gets in place of {message, data}.
func bareError(refusal *ConnectError) any {
	switch {
	case refusal == errInvalidNamespace: // as the original, for whatever reason
		return map[string]string{"message": refusal.Message}
	case refusal.Data != nil:
		return refusal.Data
	}
	return refusal.Message
}
