package cluster_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"reflect"
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
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := cluster.Decode(b)
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
