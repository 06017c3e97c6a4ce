package cluster_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/cluster"
	"github.com/sockeye-go/socketio/engineio"
)

// TestNodeMessages: what the official ClusterAdapter writes is read, and written
// again as the same. testdata/node.jsonl was written by socket.io-adapter 2.5.8.
func TestNodeMessages(t *testing.T) {
	f, err := os.Open("testdata/node.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in, n := bufio.NewScanner(f), 0
	for in.Scan() {
		n++
		m, err := cluster.Decode(in.Bytes())
		if err != nil {
			t.Errorf("%s: %v", in.Bytes(), err)
			continue
		}
		b, err := cluster.Encode(m)
		if err != nil {
			t.Errorf("%s: %v", in.Bytes(), err)
			continue
		}
		var want, got map[string]any
		json.Unmarshal(in.Bytes(), &want)
		json.Unmarshal(b, &got)
		if data, ok := got["data"].(map[string]any); ok {
			if p, ok := data["packet"].(map[string]any); ok {
				delete(p, "nsp") // some nodes write it, some do not
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("wrote %s; want %s", b, in.Bytes())
		}
	}
	if n < 13 {
		t.Errorf("%d messages in the file", n)
	}
}

// TestBinary: binary data goes as MessagePack, and comes back as it was.
func TestBinary(t *testing.T) {
	values, err := cluster.NewValues("file", map[string]any{"name": "a", "data": []byte{0, 1, 2}}, []byte{3})
	if err != nil {
		t.Fatal(err)
	}
	sent := &cluster.Message{
		UID: "u", NSP: "/x", Type: cluster.Broadcast, Values: values, RequestID: "r", Timeout: 2 * time.Second,
		Target: adapter.Target{Rooms: []string{"a", "b"}, Except: []string{"c"}}, Flags: engineio.Volatile | engineio.NoCompress,
	}
	b, err := cluster.Encode(sent)
	if err != nil || b[0] == '{' {
		t.Fatalf("Encode = %x, %v; want MessagePack", b, err)
	}
	got, err := cluster.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Values.JSON, []byte(`["file",{"data":{"_placeholder":true,"num":0},"name":"a"},{"_placeholder":true,"num":1}]`)) ||
		!reflect.DeepEqual(got.Values.Attachments, [][]byte{{0, 1, 2}, {3}}) {
		t.Errorf("values = %s %x", got.Values.JSON, got.Values.Attachments)
	}
	got.Values, sent.Values = cluster.Values{}, cluster.Values{}
	if !reflect.DeepEqual(got, sent) {
		t.Errorf("got %+v; want %+v", got, sent)
	}
}

func FuzzDecode(f *testing.F) {
	lines, err := os.ReadFile("testdata/node.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	for line := range bytes.Lines(lines) {
		f.Add(bytes.TrimSpace(line))
	}
	values, _ := cluster.NewValues("e", []byte{1})
	b, _ := cluster.Encode(&cluster.Message{NSP: "/", Type: cluster.Broadcast, Values: values})
	f.Add(b)
	for _, m := range broadcasts() {
		b, _ := cluster.Encode(m)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := cluster.Decode(b)
		if slow, slowErr := cluster.DecodeSlowly(b); (err == nil) != (slowErr == nil) || !reflect.DeepEqual(m, slow) {
			t.Fatalf("%q is %+v, %v, and in the long way %+v, %v", b, m, err, slow, slowErr)
		}
		if err != nil {
			return
		}
		m.Values.Event() // must not panic
		again, err := cluster.Encode(m)
		if err != nil {
			return // such as an event that is no array
		}
		n, err := cluster.Decode(again)
		if err != nil {
			t.Fatalf("%q was written as %q: %v", b, again, err)
		}
		if n.Type != m.Type || n.UID != m.UID || n.RequestID != m.RequestID || len(n.Sockets) != len(m.Sockets) {
			t.Fatalf("%+v became %+v", m, n)
		}
	})
}

// broadcasts are messages that take the quick way.
func broadcasts() []*cluster.Message {
	values := func(v ...any) cluster.Values {
		got, err := cluster.NewValues(v...)
		if err != nil {
			panic(err)
		}
		return got
	}
	return []*cluster.Message{
		{UID: "a", NSP: "/", Type: cluster.Broadcast, Values: values("e"), Target: adapter.Target{Rooms: []string{"r", "s"}}},
		{UID: "a", NSP: "/é", Type: cluster.Broadcast, Seq: 1 << 60, Values: values("e", "<b>\u2028", 1.5, nil, map[string]any{"a": []int{1}})},
		{NSP: "/", Type: cluster.Broadcast, RequestID: "q\"", Values: values("\x00"), Timeout: time.Second,
			Target: adapter.Target{Rooms: []string{"a\\b"}, Except: []string{"\n", "😀"}}},
		{NSP: "/", Type: cluster.Broadcast, Values: values("e"), Flags: engineio.Volatile | engineio.NoCompress | engineio.Lossy},
	}
}

// TestQuick: broadcasts are written and read without reflection, and mean what they
// mean in the long way.
func TestQuick(t *testing.T) {
	for _, m := range broadcasts() {
		b, err := cluster.Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		long, err := cluster.EncodeSlowly(m)
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		if err := errors.Join(json.Unmarshal(b, &got), json.Unmarshal(long, &want)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s, %v; in the long way %s", b, err, long)
		}
		data, err := cluster.EncodeData(m)
		if err != nil {
			t.Fatal(err)
		}
		again := &cluster.Message{UID: m.UID, NSP: m.NSP, Type: m.Type, Seq: m.Seq}
		if err := cluster.DecodeData(again, data); err != nil || !reflect.DeepEqual(again, m) {
			t.Errorf("%+v became %+v, %v", m, again, err)
		}
	}
	// What is unusual is read as ever.
	for _, text := range []string{
		`{"nsp":"/","type":3,"data":{"packet":{"type":2,"data":["e"],"nsp":"/","id":7},"opts":{"rooms":[],"except":[],"flags":{}}}}`,
		`{"nsp":"/","type":3,"data":{"packet":{"data":["e"]},"opts":{"rooms":[1,"a"],"flags":{"timeout":5}}}}`,
		`{"nsp":"/","nsp":"/b","type":3,"data":{"packet":{"data":["e"]}}}`,
		`{"NSP":"/","type":3,"data":{"packet":{"data":["e"]},"opts":{"rooms":null}},"more":[]}`,
		`{"n\u0073p":"/\u00e9","type":3,"data":{"packet":{"data":["e"]},"requestId":"\ud800"}}`,
		`{"nsp":"/","type":3,"data":{"packet":{}}}`,
		`{"nsp":"/","type":3,"data":null}`,
		`{"nsp":"/","type":3}`,
		`{"nsp":"/","type":3,"data":{"packet":[],"opts":[]}}`,
		`{"nsp":"/","type":3.5}`,
		`{}`, `{"nsp"`, `[]`, ``,
	} {
		m, err := cluster.Decode([]byte(text))
		slow, slowErr := cluster.DecodeSlowly([]byte(text))
		if (err == nil) != (slowErr == nil) || !reflect.DeepEqual(m, slow) {
			t.Errorf("%s is %+v, %v, and in the long way %+v, %v", text, m, err, slow, slowErr)
		}
	}
	if _, err := cluster.Encode(&cluster.Message{Type: cluster.Broadcast, Values: cluster.Values{JSON: []byte(`["e",}`)}}); err == nil {
		t.Error("what is no JSON was written")
	}
}

func BenchmarkQuick(b *testing.B) {
	m := broadcasts()[0]
	m.Values, _ = cluster.NewValues("message", map[string]any{"from": "ann", "text": strings.Repeat("x", 80)})
	text, _ := cluster.Encode(m)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = cluster.Encode(m)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = cluster.Decode(text)
		}
	})
	b.Run("encode, long", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = cluster.EncodeSlowly(m)
		}
	})
	b.Run("decode, long", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = cluster.DecodeSlowly(text)
		}
	})
}
