package connect

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

var plainStyle = cli.Plain

type message = socketio.Message

func TestRender(t *testing.T) {
	v := map[string]any{"b": []any{1.5, nil, true}, "a": "x\x1b[2J\u202e", "c": []byte("0123456789abcdefgh"), "d": map[string]any{}}
	want := `{"a":"x\u001b[2J\u202e","b":[1.5,null,true],"c":<18 bytes 30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66…>,"d":{}}`
	if got := render(cli.Plain, v, -1); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := renderArgs(cli.Plain, []any{"x", v}, 20); strings.Count(got, "\n") < 8 {
		t.Errorf("what does not fit is in one line:\n%s", got)
	}
	if got := render(cli.Coloured, []any{"x", 1.0}, -1); got != "[\x1b[32m\"x\"\x1b[0m,\x1b[36m1\x1b[0m]" {
		t.Errorf("%q", got)
	}
}

func TestHuman(t *testing.T) {
	var b bytes.Buffer
	h := &human{out: &b, style: cli.Plain, width: func() int { return 100 }, shows: func(e string) bool { return e != "hidden" },
		now: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC) }}
	for _, r := range []record{
		{Type: typeConnect, SID: "abc\x1b", Namespace: "/", Transport: "websocket", Recovered: true},
		{Type: typeEvent, Event: "chat", Args: []any{"hi"}, ID: int64(3)},
		{Type: typeEvent, Event: "hidden"},
		{Type: typeAck, Event: "join", Args: []any{3.0}, ID: int64(1), MS: 1.25},
		{Type: typeAck, Event: "join", Error: "late", ID: int64(2)},
		{Type: typeDisconnect, Reason: "transport close", Error: "EOF"},
		{Type: typeRetry, Attempt: 2},
		{Type: typeSaved, Path: "x-1.png"},
		{Type: typeProblem, Error: "no"},
	} {
		h.put(r)
	}
	want := `03:04:05.006 ● connected to / as abc\u001b over websocket, taken up where it broke off
03:04:05.006 ◂ chat "hi"  wants an answer: answer 3 …
03:04:05.006 ✓ join 3  #1, 1.2 ms
03:04:05.006 ✗ join late  #2, 0.0 ms
03:04:05.006 ○ disconnected: transport close (EOF)
03:04:05.006 … trying again, attempt 2
03:04:05.006   saved as x-1.png
03:04:05.006 ! no (no)
`
	want = strings.Replace(want, "! no (no)", "! no", 1)
	if b.String() != want {
		t.Errorf("shown:\n%s\nwant:\n%s", &b, want)
	}
}

func TestComplete(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{"one.bin", "two.bin"} {
		if err := os.WriteFile(filepath.Join(dir, n), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := &shell{}
	for _, n := range []string{"join", "chat message", "chat typing"} {
		s.sawName(n)
	}
	for before, want := range map[string][]string{
		"e":                     {"emit "},
		"emit j":                {"emit join "},
		"emit chat":             {`emit "chat message" `, `emit "chat typing" `},
		`call "chat m`:          {`call "chat message" `},
		"status x":              nil,
		"emit x @" + dir + "/o": {"emit x @" + dir + "/one.bin"},
	} {
		if got := s.complete(before); !slices.Equal(got, want) {
			t.Errorf("%q: %q; want %q", before, got, want)
		}
	}
	if got := common([]string{"grün", "grüße"}); got != "grü" {
		t.Errorf("common = %q", got)
	}
	for i := range 2 * maxSeen {
		s.sawName(strings.Repeat("x", i))
	}
	if len(s.seen) != maxSeen {
		t.Errorf("%d names are remembered", len(s.seen))
	}
}

func TestHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "history")
	h := loadHistory(path)
	for _, l := range []string{"emit a", "emit a", " secret", "", "call b"} {
		h.Add(l)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	again := loadHistory(path)
	if again.Len() != 2 || again.At(0) != "call b" || again.At(1) != "emit a" {
		t.Errorf("kept %q", again.lines)
	}
	if l, n, ok := again.search("emit", 0); !ok || l != "emit a" || n != 2 {
		t.Errorf("search: %q %d %v", l, n, ok)
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("x\ny\n", 2*maxHistory)), 0o600); err != nil {
		t.Fatal(err)
	}
	loadHistory(path)
	if b, err := os.ReadFile(path); err != nil || bytes.Count(b, []byte("\n")) != maxHistory {
		t.Errorf("%d lines are kept, %v", bytes.Count(b, []byte("\n")), err)
	}
}

func TestSave(t *testing.T) {
	dir := t.TempDir()
	s := &saver{dir: dir}
	png := []byte("\x89PNG\r\n\x1a\n")
	for range 2 {
		for _, r := range s.save(record{Type: typeEvent, Event: "../../up", Args: []any{map[string]any{"img": png}}}) {
			if r.Error != "" || filepath.Dir(r.Path) != dir || filepath.Ext(r.Path) != ".png" {
				t.Errorf("%+v", r)
			}
		}
		s.n = 0 // another session, which must not overwrite
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 2 {
		t.Errorf("%v, %v", files, err)
	}
	if r := s.save(record{Type: typeEmit, Args: []any{png}}); r != nil {
		t.Errorf("what is sent is saved: %+v", r)
	}
}

func TestQuestionsAreBounded(t *testing.T) {
	s := &shell{session: &session{target: new(cli.Target), questions: nil}}
	s.session.questions = map[int64]*message{}
	for range 3 * maxQuestions {
		s.ask(nil)
	}
	if len(s.questions) != maxQuestions {
		t.Errorf("%d questions are kept", len(s.questions))
	}
}
