package ws

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// IsUpgrade reports whether r asks for a WebSocket.
func IsUpgrade(r *http.Request) bool {
	return hasToken(r.Header["Upgrade"], "websocket") && hasToken(r.Header["Connection"], "upgrade")
}

// hasToken looks for a token in the comma-separated values of a header.
func hasToken(values []string, token string) bool {
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}

// accept is the answer to a key ("4.2.2 Sending the Server's Opening Handshake").
func accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Upgrade takes the connection over from the HTTP server and answers the
// handshake, with the headers extra, which may be nil. It returns the
// connection, without the deadlines and buffers of the server, and a copy of
// what the client had sent behind its request. On a [*HandshakeError] nothing
// has been written, and w can answer; after any other error the connection is
// closed.
func Upgrade(w http.ResponseWriter, r *http.Request, extra http.Header) (nc net.Conn, leftover []byte, err error) {
	nc, leftover, answer, err := TakeOver(w, r, extra)
	if err != nil {
		return nil, nil, err
	}
	// A connection just accepted takes this much at once, unless the peer plays
	// tricks with its window.
	nc.SetWriteDeadline(time.Now().Add(handshakeTimeout))
	if _, err := nc.Write(answer); err != nil {
		nc.Close()
		return nil, nil, fmt.Errorf("websocket: answer the handshake: %w", err)
	}
	nc.SetWriteDeadline(time.Time{})
	return nc, leftover, nil
}

// TakeOver is Upgrade without sending the answer, which is the caller's to do: what
// it has to say first may then leave in the same write.
func TakeOver(w http.ResponseWriter, r *http.Request, extra http.Header) (nc net.Conn, leftover, answer []byte, err error) {
	key := r.Header.Get("Sec-WebSocket-Key")
	switch raw, err := base64.StdEncoding.DecodeString(key); {
	case r.Method != http.MethodGet:
		return nil, nil, nil, &HandshakeError{Status: http.StatusMethodNotAllowed, Message: "method is not GET"}
	case !r.ProtoAtLeast(1, 1) || r.ProtoMajor != 1:
		return nil, nil, nil, &HandshakeError{Status: http.StatusBadRequest, Message: "protocol is not HTTP/1.1"}
	case !IsUpgrade(r):
		return nil, nil, nil, &HandshakeError{Status: http.StatusBadRequest, Message: "no upgrade to websocket was asked for"}
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		if extra != nil {
			extra.Set("Sec-WebSocket-Version", "13")
		}
		return nil, nil, nil, &HandshakeError{Status: http.StatusUpgradeRequired, Message: "version is not 13"}
	case err != nil || len(raw) != 16:
		return nil, nil, nil, &HandshakeError{Status: http.StatusBadRequest, Message: "invalid Sec-WebSocket-Key"}
	}
	nc, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, nil, nil, &HandshakeError{Status: http.StatusInternalServerError, Message: "the connection cannot be taken over", Err: err}
	}
	if err := nc.SetDeadline(time.Time{}); err != nil {
		nc.Close()
		return nil, nil, nil, fmt.Errorf("websocket: %w", err)
	}
	if n := rw.Reader.Buffered(); n > 0 {
		b, _ := rw.Reader.Peek(n)
		leftover = bytes.Clone(b)
	}
	b := bytes.NewBuffer(make([]byte, 0, 512)) // with room for the frames that follow
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ")
	b.WriteString(accept(key))
	b.WriteString("\r\n")
	extra.Write(b) // takes line breaks out of values
	b.WriteString("\r\n")
	return nc, leftover, b.Bytes(), nil
}

const handshakeTimeout = 10 * time.Second
