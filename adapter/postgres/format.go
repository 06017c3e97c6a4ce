package postgres

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/sockeye-go/socketio/adapter/cluster"
	"github.com/sockeye-go/socketio/internal/msgpack"
)

// channel returns the name of the channel of a namespace, as Node does. Names
// that PostgreSQL cannot have, and Node neither, are replaced by a hash.
func (o *Options) channel(nsp string) string { return o.named("#", nsp) }

// logChannel is that on which logs are announced.
func (o *Options) logChannel(nsp string) string { return o.named("!", nsp) }

func (o *Options) named(kind, nsp string) string {
	name := o.ChannelPrefix + kind + nsp
	if len(name) <= maxName && plain(nsp) {
		return name
	}
	sum := sha256.Sum256([]byte(nsp))
	return o.ChannelPrefix + kind + "#" + hex.EncodeToString(sum[:14])
}

// plain reports whether PostgreSQL takes s for text.
func plain(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// A notice is what NOTIFY carries: a message, or where it is to be found.
//
// A message is the JSON of a Node node, with the field "to" before it if it is an
// answer: it is for that node alone. Node ignores the field, and finds out by the
// id of the request. With a key a seal is behind it, in text; that of an attachment is
// in the table.
type notice struct {
	payload string
	// attachment goes into the table, if it is not nil; payload then lacks the id
	// and what follows.
	attachment []byte
}

const noticeEnd = `"}`

// encode makes the notice of a message.
func (o *Options) encode(m *cluster.Message, channel, to string) (notice, error) {
	b, err := cluster.Encode(m)
	if err != nil {
		return notice{}, err
	}
	start := "{"
	if to != "" {
		start = `{"to":` + quote(to) + ","
	}
	if b[0] == '{' {
		b = bytes.ToValidUTF8(b, []byte("\uFFFD"))
		if n := len(start) + len(b) - 1; n+o.sealLen() <= o.PayloadThreshold {
			return notice{payload: o.sealText(channel, start+string(b[1:]))}, nil
		}
		if b, err = msgpack.Append(nil, json.RawMessage(b)); err != nil {
			return notice{}, err
		}
	}
	return notice{payload: start + fmt.Sprintf(`"uid":%s,"type":%d,"attachmentId":"`, quote(m.UID), m.Type), attachment: o.key().Seal(attachmentPlace(channel, to), b)}, nil
}

func (o *Options) key() cluster.Key { return o.Key }

// sealedLen is how long a seal is as text.
var sealedLen = base64.RawStdEncoding.EncodedLen(sha256.Size)

func (o *Options) sealLen() int {
	if o.Key == nil {
		return 0
	}
	return sealedLen
}

// sealText seals what can be a text only.
func (o *Options) sealText(channel, text string) string {
	sealed := o.key().Seal(noticePlace(channel), []byte(text))
	return text + base64.RawStdEncoding.EncodeToString(sealed[len(text):])
}

// openText returns what was sealed, and whether it was with our key.
func (o *Options) openText(channel, text string) ([]byte, bool) {
	n := len(text) - o.sealLen()
	if n < 0 {
		return nil, false
	}
	sum, err := base64.RawStdEncoding.DecodeString(text[n:])
	if err != nil {
		return nil, false
	}
	return o.key().Open(noticePlace(channel), append([]byte(text[:n]), sum...))
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// A header is what of a notice is looked at before the rest.
type header struct {
	UID, To      string
	AttachmentID json.Number
}

// maxHeader is how long the notice of an attachment can be.
const maxHeader = 512

// readHeader returns the id of the attachment, or 0 if the notice is the message, and
// whether that is for this node alone. It reports whether this node, of that uid, has
// to read it.
func readHeader(payload, uid string) (attachment int64, alone, mine bool) {
	if strings.HasPrefix(payload, `{"uid":"`+uid+`"`) {
		return 0, false, false // what a node sends comes back to it
	}
	rest, alone := strings.CutPrefix(payload, `{"to":"`)
	if alone && !strings.HasPrefix(rest, uid+`"`) {
		return 0, true, false
	}
	if len(payload) > maxHeader || !strings.Contains(payload, `"attachmentId"`) {
		return 0, alone, true
	}
	var h header
	if json.Unmarshal([]byte(payload), &h) != nil || h.AttachmentID == "" {
		return 0, alone, true
	}
	id, err := h.AttachmentID.Int64()
	return id, alone, err == nil && id > 0 && h.UID != uid
}

// decode reads a message of a channel. The emitter of Node leaves out the
// namespace.
func decode(b []byte, nsp string) (*cluster.Message, error) {
	m, err := cluster.Decode(b)
	if err == nil && m.NSP == "" {
		m.NSP = nsp
	}
	return m, err
}

// A statement is one to execute.
type statement struct {
	sql  string
	args []any
}

// statements sends notices in order. Those that need no table go together.
func (o *Options) statements(channel string, notices []notice) []statement {
	var all []statement
	var payloads []string
	flush := func() {
		if len(payloads) > 0 {
			all = append(all, statement{`SELECT pg_notify($1, p) FROM unnest($2::text[]) AS p`, []any{channel, payloads}})
			payloads = nil
		}
	}
	for _, n := range notices {
		if n.attachment == nil {
			payloads = append(payloads, n.payload)
			continue
		}
		flush()
		all = append(all, o.attach(channel, n))
	}
	flush()
	return all
}

// one sends one notice, with arguments that every driver knows.
func (o *Options) one(channel string, n notice) statement {
	if n.attachment != nil {
		return o.attach(channel, n)
	}
	return statement{`SELECT pg_notify($1, $2)`, []any{channel, n.payload}}
}

// attach has a message put into the table and its id notified. The time is that
// of the statement: by default it would be that of the transaction's begin.
func (o *Options) attach(channel string, n notice) statement {
	return statement{
		`WITH a AS (INSERT INTO ` + o.Table + ` (created_at, payload) VALUES (clock_timestamp(), $1) RETURNING id)
		SELECT pg_notify($2, $3::text || id::text || $4::text) FROM a`,
		[]any{n.attachment, channel, n.payload, noticeEnd},
	}
}

// A notifier executes a statement.
type notifier func(ctx context.Context, sql string, args ...any) error
