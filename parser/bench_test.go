package parser_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sockeye-go/socketio/parser"
)

type said struct {
	From string   `json:"from"`
	Text string   `json:"text"`
	Room int      `json:"room"`
	Tags []string `json:"tags"`
}

var hundred = said{"someone", "a message of the usual length", 12345, []string{"one", "two"}}

type photo struct {
	Name string `json:"name"`
	Data []byte `json:"data"`
}

func BenchmarkEncode(b *testing.B) {
	text := strings.Repeat("0123456789abcdef", 2048)
	for _, c := range []struct {
		name   string
		values []any
	}{
		{"string", []any{"message", "hello, world"}},
		{"struct", []any{"message", hundred}},
		{"map", []any{"message", map[string]any{"from": "someone", "text": "a message of the usual length", "room": 12345, "tags": []any{"one", "two"}}}},
		{"raw", []any{"message", json.RawMessage(`{"from":"someone","text":"a message of the usual length","room":12345}`)}},
		{"binary", []any{"photo", photo{"x.png", make([]byte, 100)}}},
		{"32KiB", []any{"message", text}},
		{"32KiB-struct", []any{"message", said{Text: text}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			h := parser.Header{Type: parser.Event, Namespace: "/chat", ID: 12}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := parser.JSON.Encode(h, c.values...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, c := range []struct{ name, wire string }{
		{"name", `2["message"]`},
		{"struct", `2/chat,12["message",{"from":"someone","text":"a message of the usual length","room":12345,"tags":["one","two"]}]`},
		{"four", `2["message",1,"two",{"three":3},[4]]`},
		{"32KiB", `2["message","` + strings.Repeat("0123456789abcdef", 2048) + `"]`},
		{"binary", `51-["photo",{"name":"x.png","data":{"_placeholder":true,"num":0}}]`},
	} {
		b.Run(c.name, func(b *testing.B) {
			data := []byte(c.wire)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := parser.JSON.Decode(data, false, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkUnmarshal(b *testing.B) {
	attachments := [][]byte{make([]byte, 100)}
	for _, c := range []struct {
		name, raw string
		into      func() any
	}{
		{"string", `"hello, world"`, func() any { return new(string) }},
		{"struct", `{"from":"someone","text":"a message of the usual length","room":12345,"tags":["one","two"]}`, func() any { return new(said) }},
		{"any", `{"from":"someone","text":"a message of the usual length","room":12345,"tags":["one","two"]}`, func() any { return new(any) }},
		{"32KiB", `{"text":"` + strings.Repeat("0123456789abcdef", 2048) + `"}`, func() any { return new(said) }},
		{"binary", `{"name":"x.png","data":{"_placeholder":true,"num":0}}`, func() any { return new(photo) }},
		{"binary-any", `{"name":"x.png","data":{"_placeholder":true,"num":0}}`, func() any { return new(any) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			raw := []byte(c.raw)
			b.ReportAllocs()
			for b.Loop() {
				if err := parser.JSON.Unmarshal(raw, attachments, c.into()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStandard is the same by encoding/json, for the ratio.
func BenchmarkStandard(b *testing.B) {
	text := said{Text: strings.Repeat("0123456789abcdef", 2048)}
	for _, c := range []struct {
		name  string
		value said
	}{{"struct", hundred}, {"32KiB-struct", text}} {
		raw, _ := json.Marshal(c.value)
		b.Run("encode-"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := json.Marshal(c.value); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("decode-"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := json.Unmarshal(raw, new(said)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
