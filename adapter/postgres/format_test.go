package postgres

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/sockeye-go/socketio/adapter/cluster"
)

func message(t testing.TB, args ...any) *cluster.Message {
	t.Helper()
	values, err := cluster.NewValues(args...)
	if err != nil {
		t.Fatal(err)
	}
	return &cluster.Message{UID: "00112233445566aa", NSP: "/", Type: cluster.Broadcast, Values: values, Seq: 7}
}

// TestEncode: what NOTIFY can carry is JSON as Node writes it; the rest is
// MessagePack in the table and a header.
func TestEncode(t *testing.T) {
	o := (*Options)(nil).withDefaults()
	const opts = `"opts":{"rooms":[],"except":[],"flags":{}}`
	for name, c := range map[string]struct {
		m      *cluster.Message
		to     string
		notify string
		table  bool
	}{
		"small":  {message(t, "e", 1), "", `{"uid":"00112233445566aa","nsp":"/","type":3,"data":{"packet":{"type":2,"data":["e",1],"nsp":"/"},` + opts + `},"seq":7}`, false},
		"answer": {&cluster.Message{UID: "u", NSP: "/", Type: cluster.BroadcastClientCount, RequestID: "r"}, "other", `{"to":"other","uid":"u","nsp":"/","type":11,"data":{"requestId":"r","clientCount":0}}`, false},
		"binary": {message(t, "e", []byte{1}), "", `{"uid":"00112233445566aa","type":3,"attachmentId":"9"}`, true},
		"large":  {message(t, "e", strings.Repeat("x", 8000)), "", `{"uid":"00112233445566aa","type":3,"attachmentId":"9"}`, true},
	} {
		n, err := o.encode(c.m, "channel", c.to)
		if err != nil {
			t.Fatal(name, err)
		}
		payload := n.payload
		if n.attachment != nil {
			payload += "9" + noticeEnd
		}
		if payload != c.notify || (n.attachment != nil) != c.table {
			t.Errorf("%s: %s, table %v; want %s, %v", name, payload, n.attachment != nil, c.notify, c.table)
		}
		body := []byte(payload)
		if c.table {
			if n.attachment[0] == '{' {
				t.Errorf("%s: JSON in the table, which Node cannot read", name)
			}
			body = n.attachment
		}
		m, err := decode(body, "/")
		if err != nil || m.Seq != c.m.Seq || m.UID != c.m.UID || m.Type != c.m.Type || string(m.Values.JSON) != string(c.m.Values.JSON) {
			t.Errorf("%s: decoded %+v, %v", name, m, err)
		}
	}
}

// TestLongest: the longest message that goes without the table is one that
// PostgreSQL takes, and no shorter one goes through it.
func TestLongest(t *testing.T) {
	o := (*Options)(nil).withDefaults()
	empty, err := o.encode(message(t, "e", ""), "channel", "")
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		text := strings.Repeat("x", maxPayload-len(empty.payload)-1+n)
		got, err := o.encode(message(t, "e", text), "channel", "")
		if err != nil || (got.attachment != nil) != (n == 2) {
			t.Errorf("%d bytes: table %v, %v", len(empty.payload)+len(text), got.attachment != nil, err)
		}
	}
}

func TestHeader(t *testing.T) {
	const me = "00112233445566aa"
	for payload, want := range map[string]struct {
		id   int64
		mine bool
	}{
		`{"uid":"` + me + `","type":3,"attachmentId":"5"}`:                           {0, false},
		`{"uid":"other","type":3,"attachmentId":"5"}`:                                {5, true},
		`{"type":3,"uid":"other","attachmentId":5}`:                                  {5, true},
		`{"type":3,"uid":"` + me + `","attachmentId":"5"}`:                           {5, false},
		`{"to":"` + me + `","uid":"other","type":8,"attachmentId":"5"}`:              {5, true},
		`{"to":"somebody","uid":"other","type":8,"attachmentId":"5"}`:                {0, false},
		`{"to":"somebody","uid":"other","type":11}`:                                  {0, false},
		`{"uid":"other","type":3,"data":{"packet":{"data":["\"attachmentId\":1"]}}}`: {0, true},
		`{"uid":"other","type":3,"attachmentId":"x"}`:                                {0, true},
		`{"uid":"other","type":3,"attachmentId":"-1"}`:                               {-1, false},
		`nonsense "attachmentId"`:                                                    {0, true},
		``:                                                                           {0, true},
	} {
		if id, _, mine := readHeader(payload, me); id != want.id || mine != want.mine {
			t.Errorf("readHeader(%s) = %d, %v; want %d, %v", payload, id, mine, want.id, want.mine)
		}
	}
}

// TestSeal: with a key a notice is opened where it was meant to be heard, and by nobody
// else's; it is not longer than PostgreSQL takes.
func TestSeal(t *testing.T) {
	with := func(key string) *Options { return (&Options{Key: []byte(key)}).withDefaults() }
	o, other := with("a key of the cluster"), with("another key than that")
	for _, c := range []struct {
		m  *cluster.Message
		to string
	}{
		{message(t, "e", 1), ""}, {message(t, "e", strings.Repeat("x", 7850)), ""},
		{&cluster.Message{UID: "u", NSP: "/", Type: cluster.BroadcastClientCount, RequestID: "r"}, "me"},
	} {
		n, err := o.encode(c.m, "channel", c.to)
		if err != nil || len(n.payload) > maxPayload {
			t.Fatalf("%d bytes, %v", len(n.payload), err)
		}
		if n.attachment != nil {
			if _, ok := o.key().Open(attachmentPlace("channel", c.to), n.attachment); !ok {
				t.Error("what was put into the table does not open")
			}
			for place, key := range map[string]cluster.Key{attachmentPlace("elsewhere", c.to): o.key(), attachmentPlace("channel", "him"): o.key(), attachmentPlace("channel", c.to): other.key()} {
				if _, ok := key.Open(place, n.attachment); ok {
					t.Errorf("what was put into the table opens as %s", place)
				}
			}
			continue
		}
		if b, ok := o.openText("channel", n.payload); !ok || !json.Valid(b) {
			t.Errorf("%s does not open: %s", n.payload, b)
		}
		// Said over the channel to one, it cannot be put into the table for all.
		n0 := len(n.payload) - sealedLen
		sum, err := base64.RawStdEncoding.DecodeString(n.payload[n0:])
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := o.key().Open(attachmentPlace("channel", ""), append([]byte(n.payload[:n0]), sum...)); ok {
			t.Errorf("%s opens in the table", n.payload)
		}
		changed := strings.Replace(n.payload, `"nsp":"/"`, `"nsp":"x"`, 1)
		for _, ok := range []bool{opens(other, "channel", n.payload), opens(o, "elsewhere", n.payload), opens(o, "channel", changed), opens(o, "channel", "short")} {
			if ok {
				t.Errorf("%s opens where it should not", n.payload)
			}
		}
	}
}

func opens(o *Options, channel, text string) bool {
	_, ok := o.openText(channel, text)
	return ok
}

// FuzzNotice: nothing that is notified makes trouble, and what is written is read
// again.
func FuzzNotice(f *testing.F) {
	f.Add(`{"uid":"other","type":3,"attachmentId":"5"}`, "other", int64(5))
	f.Add(`{"to":"x","uid":"other","type":8}`, "é\x00\"", int64(1<<40))
	o := (*Options)(nil).withDefaults()
	f.Fuzz(func(t *testing.T, payload, uid string, id int64) {
		_, _, _ = readHeader(payload, uid)
		_, _ = decode([]byte(payload), "/")
		if id <= 0 || uid == "me" || len(uid) > 100 {
			return
		}
		m := message(t, "e", []byte{1})
		m.UID = uid
		n, err := o.encode(m, "channel", "me")
		if err != nil {
			t.Skip(err)
		}
		text := n.payload + fmt.Sprint(id) + noticeEnd
		if got, _, mine := readHeader(text, "me"); got != id || !mine || !json.Valid([]byte(text)) {
			t.Errorf("readHeader(%s) = %d, %v; want %d", text, got, mine, id)
		}
	})
}

// TestBatch: one transaction, and one statement for what needs no table.
func TestBatch(t *testing.T) {
	o := (*Options)(nil).withDefaults()
	small, large := notice{payload: "a"}, notice{payload: "h", attachment: []byte("b")}
	got := ""
	for _, s := range o.statements("c", []notice{small, small, large, small}) {
		got += fmt.Sprintf("%.11s %v; ", s.sql, s.args[len(s.args)-1])
	}
	if want := `SELECT pg_n [a a]; WITH a AS ( "}; SELECT pg_n [a]; `; got != want {
		t.Errorf("statements %s; want %s", got, want)
	}
}
