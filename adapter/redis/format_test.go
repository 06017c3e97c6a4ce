package redis

import (
	"reflect"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/adapter"
	"github.com/sockeye-go/socketio/adapter/cluster"
	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/internal/msgpack"
)

func TestBroadcastFormat(t *testing.T) {
	photo := []byte{1, 2, 3}
	for name, m := range map[string]cluster.Message{
		"text":   {Values: cluster.Values{JSON: []byte(`["cast",{"z":1,"a":[{"y":"é","b":null}]}]`)}},
		"binary": {Values: cluster.Values{JSON: []byte(`["photo",{"z":{"_placeholder":true,"num":0},"a":1}]`), Attachments: [][]byte{photo}}},
		"flags":  {Values: cluster.Values{JSON: []byte(`["x"]`)}, Flags: engineio.Volatile | engineio.NoCompress, Timeout: time.Second},
		"rooms":  {Values: cluster.Values{JSON: []byte(`["x"]`)}, Target: adapter.Target{Rooms: []string{"a", "b"}, Except: []string{"c"}}},
	} {
		t.Run(name, func(t *testing.T) {
			m.Type, m.UID, m.NSP = cluster.Broadcast, "AbCdEf", "/chat"
			b, err := encodeBroadcast(&m)
			if err != nil {
				t.Fatal(err)
			}
			got, err := decodeBroadcast(b)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, &m) {
				t.Errorf("got %+v\nwant %+v", got, &m)
			}
			for n := range b {
				if _, err := decodeBroadcast(b[:n]); err == nil {
					t.Errorf("%d bytes of %d are a broadcast", n, len(b))
				}
			}
		})
	}
}

// TestBroadcastOfOthers reads what emitters in other languages write.
func TestBroadcastOfOthers(t *testing.T) {
	b, err := msgpack.Append(nil, []any{"emitter", map[string]any{"type": 2, "data": []any{"x", 1}}, map[string]any{"rooms": []any{"a", 5}, "flags": nil}, "more"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeBroadcast(b)
	if err != nil {
		t.Fatal(err)
	}
	want := &cluster.Message{Type: cluster.Broadcast, UID: "emitter", NSP: "/", Target: adapter.Target{Rooms: []string{"a", "5"}}, Values: cluster.Values{JSON: []byte(`["x",1]`)}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func FuzzDecodeBroadcast(f *testing.F) {
	m := &cluster.Message{Type: cluster.Broadcast, UID: "AbCdEf", NSP: "/", Values: cluster.Values{JSON: []byte(`["x",{"a":1}]`)}}
	b, err := encodeBroadcast(m)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := decodeBroadcast(b)
		if err != nil || len(m.Values.JSON) == 0 || len(m.Values.Attachments) > 0 {
			return
		}
		b, err = encodeBroadcast(m)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := decodeBroadcast(b); err != nil || string(again.Values.JSON) != string(m.Values.JSON) {
			t.Fatalf("%v, %v became %v", err, m, again)
		}
	})
}
