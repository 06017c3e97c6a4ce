package interop

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"reflect"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/sockeye-go/socketio/parser"
)

// official is the parser of the original in a process of its own.
type official struct {
	mu  sync.Mutex
	in  io.WriteCloser
	out *bufio.Reader
}

func newOfficial(tb testing.TB) *official {
	tb.Helper()
	cmd := exec.Command("node", "differential.mjs")
	cmd.Dir = "node"
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	return &official{in: in, out: bufio.NewReader(out)}
}

// A decoded packet, in a form that both sides have.
type decoded struct {
	Error string
	Type  int
	Nsp   string
	ID    *float64
	Data  any
}

func (o *official) decode(message string) (d decoded, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b, err := json.Marshal(message)
	if err != nil {
		return d, err
	}
	if _, err := o.in.Write(append(b, '\n')); err != nil {
		return d, err
	}
	line, err := o.out.ReadBytes('\n')
	if err != nil {
		return d, err
	}
	return d, json.Unmarshal(line, &d)
}

// ours is the same by our parser. beyond says that a value is one that the two
// languages hold differently.
func ours(message string) (d decoded, beyond bool, err error) {
	var r parser.Reassembler
	p, ok, err := r.Add(parser.JSON, []byte(message), false, nil)
	for i := byte(0); err == nil && !ok && i < 10; i++ {
		p, ok, err = r.Add(parser.JSON, []byte{i}, true, nil)
	}
	if err != nil {
		return d, false, err
	}
	d.Type = int(p.Type)
	d.Nsp = string(p.Namespace)
	if p.ID != parser.NoID {
		id := float64(p.ID)
		d.ID = &id
	}
	var list []any
	for _, arg := range p.Args {
		var v any
		if err := parser.JSON.Unmarshal(arg, p.Attachments, &v); err != nil {
			return d, true, nil // a number that no float64 holds
		}
		list = append(list, plain(v))
	}
	switch {
	case p.Type == parser.Event && p.Event != nil:
		d.Data = append([]any{string(p.Event)}, list...)
	case p.Type == parser.Event:
	case p.Type == parser.Ack && (list != nil || strings.HasSuffix(strings.TrimRight(message, " \t\r\n"), "]")):
		d.Data = append([]any{}, list...)
	case len(list) > 0:
		d.Data = list[0]
	}
	return d, false, nil
}

func plain(v any) any {
	switch v := v.(type) {
	case []byte:
		b, _ := json.Marshal(v)
		return map[string]any{"$binary": strings.Trim(string(b), `"`)}
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	}
	return v
}

// stricter are the errors by which we mean to refuse what the original takes;
// testdata/vectors says of each why.
var stricter = []error{
	parser.ErrInvalidID, parser.ErrIllegalAttachmentCount, parser.ErrIllegalAttachments, parser.ErrTooDeep,
	parser.ErrTooManyArguments, parser.ErrEventNameTooLong, parser.ErrNamespaceTooLong,
}

// FuzzAgainstOfficial holds our parser to the original's: what we take it takes,
// and to both it is the same packet; what we refuse it refuses, but for what is
// in stricter.
func FuzzAgainstOfficial(f *testing.F) {
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		f.Skip("needs Node and the packages of interop/node: set SOCKEYE_PARTS=all")
	}
	b, err := os.ReadFile("../testdata/vectors/packets.json")
	if err != nil {
		f.Fatal(err)
	}
	var vectors struct {
		Decode []struct{ Messages []any }
	}
	if err := json.Unmarshal(b, &vectors); err != nil {
		f.Fatal(err)
	}
	for _, v := range vectors.Decode {
		if text, ok := v.Messages[0].(string); ok {
			f.Add(text)
		}
	}
	o := newOfficial(f)
	f.Fuzz(func(t *testing.T, message string) {
		head, _, _ := strings.Cut(message, `"`)
		if head == "" || strings.ContainsFunc(head, unicode.IsSpace) || strings.ContainsRune(head, '\ufeff') {
			return // to the original, Number() of which is 0, these are digits
		}
		if !utf8.ValidString(message) || strings.ContainsAny(message, "\u2028\u2029") || len(message) > 10_000 {
			return // no transport lets the first through; readline ends lines at the second
		}
		want, err := o.decode(message)
		if err != nil {
			t.Fatal(err)
		}
		got, beyond, err := ours(message)
		switch {
		case err != nil && want.Error != "":
		case err != nil:
			for _, s := range stricter {
				if errors.Is(err, s) {
					return
				}
			}
			t.Errorf("%q: %v; the original makes %s of it", message, err, show(want))
		case want.Error != "":
			t.Errorf("%q: %s; the original: %s", message, show(got), want.Error)
		case beyond:
		case !reflect.DeepEqual(got, want):
			t.Errorf("%q:\nours     %s\noriginal %s", message, show(got), show(want))
		}
	})
}

func show(d decoded) string {
	id := "none"
	if d.ID != nil {
		id = fmt.Sprint(*d.ID)
	}
	data, _ := json.Marshal(d.Data)
	return fmt.Sprintf("type %d, namespace %q, id %s, data %s %s", d.Type, d.Nsp, id, data, d.Error)
}
