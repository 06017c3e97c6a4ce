package engineio_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/internal/ws"
)

// payloadVectors is testdata/vectors/payloads.json; the README there has its
// schema.
type payloadVectors struct {
	Packets []struct {
		Name   string
		Wire   wire
		Packet *vectorPacket
		Error  string
	}
	Payloads []struct {
		Name       string
		Wire       string
		Packets    []vectorPacket
		Error      string
		DecodeOnly bool
	}
}

// wire is a string, or {"binary": base64}.
type wire struct {
	data   string
	binary bool
}

func (w *wire) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		return json.Unmarshal(b, &w.data)
	}
	var o struct{ Binary []byte }
	err := json.Unmarshal(b, &o)
	w.data, w.binary = string(o.Binary), true
	return err
}

// vectorPacket has data that is a string, or {"$binary": base64}.
type vectorPacket struct {
	Type string
	Data json.RawMessage
}

func (p vectorPacket) message(t *testing.T) engineio.Message {
	t.Helper()
	var m engineio.Message
	switch {
	case p.Data == nil:
	case p.Data[0] == '"':
		var s string
		if err := json.Unmarshal(p.Data, &s); err != nil {
			t.Fatal(err)
		}
		m.Data = []byte(s)
	default:
		var o struct {
			Binary []byte `json:"$binary"`
		}
		if err := json.Unmarshal(p.Data, &o); err != nil {
			t.Fatal(err)
		}
		m.Binary, m.Data = true, o.Binary
	}
	return m
}

// said lists the messages among packets as recorder.messages does.
func said(t *testing.T, packets []vectorPacket) (out []string) {
	t.Helper()
	for _, p := range packets {
		if p.Type != "message" {
			continue
		}
		if m := p.message(t); m.Binary {
			out = append(out, fmt.Sprintf("b%x", m.Data))
		} else {
			out = append(out, string(m.Data))
		}
	}
	return out
}

func readPayloads(t *testing.T) (v payloadVectors) {
	t.Helper()
	raw, err := os.ReadFile("../testdata/vectors/payloads.json")
	if err == nil {
		err = json.Unmarshal(raw, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Packets) < 15 || len(v.Payloads) < 8 {
		t.Fatalf("%d and %d vectors: some are missing", len(v.Packets), len(v.Payloads))
	}
	return v
}

// What a client posts.
func TestPayloadVectorsReceived(t *testing.T) {
	h := newHarness(t, nil, nil)
	for _, c := range readPayloads(t).Payloads {
		t.Run(c.Name, func(t *testing.T) {
			h.t = t
			query, rec := h.openPoll()
			h.post(query, c.Wire)
			if got, want := rec.messages(), said(t, c.Packets); !slices.Equal(got, want) {
				t.Errorf("received %q, want %q", got, want)
			}
			if c.Error != "" {
				if reason := rec.waitClosed(t); reason != engineio.ParseError {
					t.Errorf("closed for %q", reason)
				}
				return
			}
			select {
			case <-rec.closed:
				t.Errorf("closed for %q", rec.waitClosed(t))
			default:
			}
		})
	}
}

// What a client polls.
func TestPayloadVectorsSent(t *testing.T) {
	h := newHarness(t, nil, nil)
	for _, c := range readPayloads(t).Payloads {
		if c.DecodeOnly || strings.Contains(c.Wire, "\x1e6") {
			continue // a server has no reason to send a noop among others
		}
		t.Run(c.Name, func(t *testing.T) {
			h.t = t
			query, rec := h.openPoll()
			for _, p := range c.Packets {
				send(t, rec.session, p.message(t))
			}
			if got := h.poll(query); got != c.Wire {
				t.Errorf("polled %q, want %q", got, c.Wire)
			}
		})
	}
}

// Single packets on a WebSocket, both ways.
func TestPacketVectors(t *testing.T) {
	h := newHarness(t, nil, nil)
	for _, c := range readPayloads(t).Packets {
		op := ws.Text
		if c.Wire.binary {
			op = ws.Binary
		}
		if c.Error == "" && (c.Packet.Type != "message" || strings.HasPrefix(c.Wire.data, "b")) {
			continue // the heartbeat and the upgrade have tests of their own
		}
		t.Run(c.Name, func(t *testing.T) {
			h.t = t
			client, rec := h.openWS()
			client.write(op, c.Wire.data)
			if c.Error != "" {
				if reason := rec.waitClosed(t); reason != engineio.ParseError {
					t.Errorf("closed for %q", reason)
				}
				return
			}
			want := said(t, []vectorPacket{*c.Packet})
			if got := rec.waitMessages(t, 1); !slices.Equal(got, want) {
				t.Errorf("received %q, want %q", got, want)
			}
			send(t, rec.session, c.Packet.message(t))
			if m, err := client.next(); err != nil || m.Op != op || string(m.Data) != c.Wire.data {
				t.Errorf("sent %v %q, %v", m.Op, m.Data, err)
			}
		})
	}
}
