package validate_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/internal/lab"
	"github.com/sockeye-go/socketio/internal/leak"
	"github.com/sockeye-go/socketio/middleware/validate"
)

func TestMain(m *testing.M) { leak.Main(m) }

type author struct {
	Name string `json:"name" validate:"required,max=8"`
}

type said struct {
	Author  author   `json:"author"`
	Message string   `json:"message" validate:"required,max=5" html:"escape"`
	Tags    []string `json:"tags" validate:"max=2,dive,alphanum" html:"strip"`
}

// A span has a rule that no tag can say.
type span struct{ From, To int }

func (s *span) Validate() error {
	if s.From > s.To {
		return validate.FieldError{Field: "From", Rule: "order", Message: "is after To"}
	}
	if s.From < 0 {
		return errors.New("before the beginning")
	}
	return nil
}

var (
	say    = socketio.NewEvent[said]("say")
	choose = socketio.NewEventWithAck[span, int]("choose")
)

func TestEvents(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		validate.Protect(l)
		say.Handle(l, validate.Event(func(_ context.Context, s *socketio.Socket, in said) error { return say.Emit(s, in) }))
		choose.Handle(l, validate.EventWithAck(func(_ context.Context, _ *socketio.Socket, in span) (int, error) { return in.To - in.From, nil }))
		c := l.Join("/", "")
		for _, test := range []struct{ name, in, want string }{
			{"good", `{"author":{"name":"Ada"},"message":"hello","tags":["a","<b>c</b>"]}`,
				`["say",{"author":{"name":"Ada"},"message":"hello","tags":["a","c"]}]`},
			{"characters, not bytes", `{"author":{"name":"Ada"},"message":"ééééé"}`,
				`["say",{"author":{"name":"Ada"},"message":"ééééé","tags":null}]`},
			{"too long", `{"author":{"name":"Ada"},"message":"hello!"}`,
				`["error",{"code":"invalid","message":"message: must be at most 5 characters long","event":"say","fields":[{"field":"message","rule":"max","message":"must be at most 5 characters long"}]}]`},
			{"nested, and several", `{"author":{},"message":"x","tags":["a","b-"]}`,
				`["error",{"code":"invalid","message":"author.name: is missing; tags[1]: is no alphanum","event":"say","fields":[{"field":"author.name","rule":"required","message":"is missing"},{"field":"tags[1]","rule":"alphanum","message":"is no alphanum"}]}]`},
			{"another type", `{"author":{"name":7}}`,
				`["error",{"code":"bad_arguments","message":"argument 0 is not of the right type","event":"say","fields":[{"field":"author.name","rule":"type","message":"argument 0 is not of the right type"}]}]`},
		} {
			c.Emit("say", raw(test.in))
			if got := strings.Join(c.Take(), "\n"); got != test.want {
				t.Errorf("%s: client got\n%s\nwant\n%s", test.name, got, test.want)
			}
		}
		for in, want := range map[string]string{
			`{"From":1,"To":5}`:  `[4]`,
			`{"From":5,"To":1}`:  `[{"error":{"code":"invalid","message":"From: is after To","data":[{"field":"From","rule":"order","message":"is after To"}]}}]`,
			`{"From":-1,"To":1}`: `[{"error":{"code":"invalid","message":"before the beginning","data":[{"field":"","rule":"validate","message":"before the beginning"}]}}]`,
			`"x"`:                `[{"error":{"code":"bad_arguments","message":"argument 0 of \"choose\" does not fit"}}]`,
		} {
			if got := c.Ask("choose", raw(in)); got != want {
				t.Errorf("choose %s: %s\nwant %s", in, got, want)
			}
		}
		c.Want() // nobody was told twice, nor disconnected
	})
}

type raw string

func (r raw) MarshalJSON() ([]byte, error) { return []byte(r), nil }

func TestSchemas(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		validate.Protect(l)
		l.UseEvents(validate.Schemas(map[string]string{
			"move": `{"type":"object","required":["x"],"properties":{"x":{"type":"integer","maximum":9},"path":{"type":"array","items":{"type":"string","maxLength":2}}},"additionalProperties":false}`,
		}))
		l.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			s.On("move", func(_ context.Context, m *socketio.Message) error {
				if m.WantsAck() {
					return m.Ack("moved")
				}
				return nil
			})
			return nil
		})
		c := l.Join("/", "")
		for _, test := range []struct {
			in     string
			fields []string // "" for good
		}{
			{`{"x":9}`, nil},
			{`{"x":10}`, []string{"x"}},
			{`{"x":1.5}`, []string{"x"}},
			{`{}`, []string{""}},
			{`{"x":1,"y":1}`, []string{""}},
			{`[]`, []string{""}},
			{`{"x":1,"path":["a","long"]}`, []string{"path.1"}},
			{`{"x":1e400}`, []string{"x"}},
		} {
			got := c.Ask("move", raw(test.in))
			if test.fields == nil {
				if got != `["moved"]` {
					t.Errorf("%s: %s", test.in, got)
				}
				continue
			}
			for _, f := range test.fields {
				if !strings.Contains(got, fmt.Sprintf(`"field":%q`, f)) || !strings.Contains(got, `"code":"invalid"`) {
					t.Errorf("%s: %s; want field %q", test.in, got, f)
				}
			}
		}
		c.Emit("move")
		c.Emit("another", 7)
		if got := c.Take(); len(got) != 1 || !strings.Contains(got[0], "the argument is missing") {
			t.Errorf("client got %q", got)
		}
	})
}

func TestBadDeclarations(t *testing.T) {
	type typo struct {
		A string `html:"escpae"`
	}
	for name, f := range map[string]func(){
		"no JSON":         func() { validate.Schemas(map[string]string{"x": `{`}) },
		"no schema":       func() { validate.Schemas(map[string]string{"x": `{"type":"strnig"}`}) },
		"from the net":    func() { validate.Schemas(map[string]string{"x": `{"$ref":"http://example.com/s.json"}`}) },
		"from a file":     func() { validate.Schemas(map[string]string{"x": `{"$ref":"file:///etc/hostname"}`}) },
		"unknown cleaner": func() { _ = validate.Check(new(typo)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestClean(t *testing.T) {
	lab.Run(t, nil, func(t *testing.T, l *lab.Lab) {
		l.UseEvents(validate.Clean("chat message", validate.Escape, "message", "author.name"))
		l.OnConnection(func(_ context.Context, s *socketio.Socket) error {
			s.On("chat message", func(_ context.Context, m *socketio.Message) error {
				args, err := m.Args()
				if err != nil {
					return err
				}
				return s.Emit("heard", args...)
			})
			return nil
		})
		c := l.Join("/", "")
		c.Emit("chat message", raw(`{"message":"<b>","author":{"name":"\u0026"},"other":"<i>"}`), 2)
		c.Emit("chat message", raw(`{"message":7}`))
		c.Emit("chat message", raw(`"<b>"`))
		c.Want(`["heard",{"author":{"name":"&amp;"},"message":"&lt;b&gt;","other":"<i>"},2]`,
			`["heard",{"message":7}]`, `["heard","<b>"]`)
	})
}

type post struct {
	Escaped  string            `html:"escape"`
	Stripped *string           `html:"strip"`
	Rich     string            `html:"ugc"`
	Map      map[string]string `html:"strip"`
	Replies  []post
}

// FuzzHTML: of what was escaped or stripped no parser makes an element, and of
// the rich text none that runs.
func FuzzHTML(f *testing.F) {
	for _, s := range []string{
		`<img src=x onerror="alert(1)">`, `<script>alert(1)</script>`, `<a href="javascript:alert(1)">x</a>`,
		`<svg/onload=alert(1)>`, `<<b>script>`, `&lt;script&gt;`, `<p>fine</p>`, `<!--><script>-->`, "<scr\x00ipt>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		inner := s
		v := post{Escaped: s, Rich: s, Replies: []post{{Stripped: &inner, Map: map[string]string{"k": s}}}}
		if err := validate.Check(&v); err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{v.Escaped, *v.Replies[0].Stripped, v.Replies[0].Map["k"]} {
			if found := elements(text); len(found) > 0 {
				t.Errorf("%q became %q, which has %v", s, text, found)
			}
		}
		for _, name := range elements(v.Rich) {
			if slices.Contains([]string{"script", "style", "iframe", "svg", "math", "object", "embed", "javascript:", "on"}, name) {
				t.Errorf("%q became %q, which has %s", s, v.Rich, name)
			}
		}
	})
}

// elements returns what an HTML tokenizer finds: names of elements, "on" for a
// handler, "javascript:" for such a link.
func elements(s string) (found []string) {
	for z := html.NewTokenizer(strings.NewReader(s)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return found
		case html.StartTagToken, html.SelfClosingTagToken:
			token := z.Token()
			found = append(found, token.Data)
			for _, a := range token.Attr {
				if strings.HasPrefix(a.Key, "on") {
					found = append(found, "on")
				}
				if strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
					found = append(found, "javascript:")
				}
			}
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	v := said{Author: author{"Ada"}, Message: "hello", Tags: []string{"a"}}
	b.ReportAllocs()
	for b.Loop() {
		if err := validate.Check(&v); err != nil {
			b.Fatal(err)
		}
	}
}
