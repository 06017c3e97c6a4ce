package interop

import (
	"bytes"
	"encoding/base64"
	"math"
	"math/rand/v2"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio/parser"
	"github.com/sockeye-go/socketio/parser/msgpack"
)

// TestMessagePack: what we encode the official parser decodes, and encodes to the
// same bytes, which decode to what we had.
func TestMessagePack(t *testing.T) {
	needParts(t)
	r := rand.New(rand.NewPCG(1, 2))
	var sent [][]byte
	var values [][]any
	var in bytes.Buffer
	for i := range 3000 {
		h := parser.Header{Type: parser.Event, Namespace: "/n", ID: r.Int64N(parser.MaxID)}
		args := []any{"event"}
		for range r.IntN(4) {
			args = append(args, random(r, 3))
		}
		switch i { // lengths of four bytes
		case 0:
			args = append(args, strings.Repeat("ä", 40_000))
		case 1:
			args = append(args, make([]byte, 70_000))
		case 2:
			args = append(args, slicesOf(70_000))
		}
		e, err := msgpack.Parser.Encode(h, args...)
		if err != nil {
			t.Fatal(err)
		}
		sent, values = append(sent, e.Head), append(values, args[1:])
		in.WriteString(base64.StdEncoding.EncodeToString(e.Head) + "\n")
	}
	cmd := exec.Command("node", "msgpack.mjs")
	cmd.Dir = "node"
	cmd.Stdin = &in
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	lines := strings.Fields(string(out))
	if len(lines) != len(sent) {
		t.Fatalf("%d packets came back; want %d", len(lines), len(sent))
	}
	for i, line := range lines {
		back, err := base64.StdEncoding.DecodeString(line)
		if err != nil || !bytes.Equal(back, sent[i]) {
			t.Fatalf("packet %d: sent %.300x\nback %.300x, %v", i, sent[i], back, err)
		}
		p, err := msgpack.Parser.Decode(back, true, &parser.Limits{MaxArguments: 100_000})
		if err != nil || len(p.Args) != len(values[i]) {
			t.Fatalf("packet %d: %d arguments, %v; want %d", i, len(p.Args), err, len(values[i]))
		}
		for k, want := range values[i] {
			var got any
			if err := msgpack.Parser.Unmarshal(p.Args[k], nil, &got); err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("packet %d, argument %d: %#v, %v; want %#v", i, k, got, err, want)
			}
		}
	}
}

func slicesOf(n int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = float64(i)
	}
	return list
}

// random makes a value that is the same in Go and in JavaScript. Keys of objects do
// not look like integers: those JavaScript puts in another order.
func random(r *rand.Rand, depth int) any {
	kinds := 8
	if depth > 0 {
		kinds = 10
	}
	switch r.IntN(kinds) {
	case 0:
		return nil
	case 1:
		return r.IntN(2) == 0
	case 2: // of each length
		return float64(r.Int64N(1<<r.IntN(54)+1)) * float64(1-2*r.IntN(2))
	case 3:
		return r.NormFloat64() * math.Pow(2, float64(r.IntN(80)-60))
	case 4:
		return strings.Repeat("aé日🙂"[:[]int{1, 3, 6, 10}[r.IntN(4)]], r.IntN(40))
	case 5:
		b := make([]byte, r.IntN(400))
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return b
	case 6:
		return time.UnixMilli(r.Int64N(1<<42) - 1<<41).UTC()
	case 7:
		return ""
	case 8:
		list := make([]any, r.IntN(20))
		for i := range list {
			list[i] = random(r, depth-1)
		}
		return list
	}
	m := map[string]any{}
	for range r.IntN(20) {
		m["k"+string(rune('a'+r.IntN(26)))] = random(r, depth-1)
	}
	return m
}
