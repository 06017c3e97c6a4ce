package nats

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/sockeye-go/socketio/adapter/cluster"
)

// subjects are those of one namespace.
type subjects struct{ prefix string }

func (o *Options) subjects(nsp string) subjects {
	return subjects{o.Prefix + "." + token(nsp) + "."}
}

func (s subjects) all() string             { return s.prefix + "all" }
func (s subjects) node(uid string) string  { return s.prefix + "node." + token(uid) }
func (s subjects) ping(uid string) string  { return s.prefix + "ping." + token(uid) }
func (s subjects) room(room string) string { return s.prefix + "room." + token(room) }

// maxToken is the longest name that is written as it is, in bytes.
const maxToken = 128

// token makes one token of a subject from any text: the text itself, behind an
// equals sign, or a hash where it holds what subjects are made of.
func token(name string) string {
	plain := func(r rune) bool { return r > ' ' && r < 0x7f && r != '.' && r != '*' && r != '>' }
	if len(name) <= maxToken && strings.IndexFunc(name, func(r rune) bool { return !plain(r) }) < 0 {
		return "=" + name
	}
	sum := sha256.Sum256([]byte(name))
	return "#" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// mayBeID reports whether a room could be the id of a socket: every socket is in the
// room of its id, which no node is subscribed to. Ids have 20 characters, and those
// of clients of revision 3 are made of namespace, # and sid, with a ~ in it where
// requests are forwarded.
func mayBeID(room string) bool { return len(room) == 20 || strings.ContainsAny(room, "#~") }

// of returns the subject of a message.
func (s subjects) of(m *cluster.Message) string {
	if m.Type == cluster.Broadcast && m.RequestID == "" && len(m.Target.Rooms) == 1 && !mayBeID(m.Target.Rooms[0]) {
		return s.room(m.Target.Rooms[0])
	}
	return s.all()
}
