package files_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io/fs"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/client"
	"github.com/sockeye-go/socketio/examples/files/files"
	"github.com/sockeye-go/socketio/internal/leak"
	"github.com/sockeye-go/socketio/internal/rawclient"
)

func TestMain(m *testing.M) { leak.Main(m) }

func open(t *testing.T, dir string, l *files.Limits) *files.Store {
	t.Helper()
	store, err := files.OpenStore(dir, l)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func serve(t *testing.T, store *files.Store) (dial func() *client.Socket) {
	srv := socketio.NewServer(nil)
	files.New(srv.Of("/"), store)
	hs := httptest.NewServer(srv)
	t.Cleanup(func() { srv.Close(); hs.Close() })
	return func() *client.Socket {
		m, err := client.New(hs.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { m.Close() })
		return m.Socket("/")
	}
}

func noise(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// hear collects the events of a socket by name.
func hear(s *client.Socket, event string) <-chan *socketio.Message {
	c := make(chan *socketio.Message, 16)
	s.On(event, func(_ context.Context, m *socketio.Message) error { c <- m; return nil })
	return c
}

// The whole file in one event, as in the tutorials.
func TestTutorial(t *testing.T) {
	store := open(t, t.TempDir(), nil)
	defer store.Close()
	dial := serve(t, store)
	ann, bob := dial(), dial()
	good, bad, data, missing := hear(ann, "upload success"), hear(ann, "upload error"), hear(bob, "file data"), hear(bob, "file error")
	news := hear(bob, "new file")
	for _, s := range []*client.Socket{ann, bob} {
		if err := s.Connect(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	content := noise(5000)
	ann.Emit("file upload", "../../etc/salmon.bin", content)
	var name string
	if (<-good).Decode(&name); name != "salmon.bin" {
		t.Errorf("stored as %q", name)
	}
	var info files.Info
	if (<-news).Decode(&info); info.Name != name || info.Size != 5000 || info.UploadedBy != ann.ID() || info.SHA256 != sumOf(content) {
		t.Errorf("news of %+v", info)
	}
	bob.Emit("request file", name)
	var got []byte
	if err := (<-data).Decode(&name, &got); err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	var text string
	bob.Emit("request file", "../"+name)
	if (<-missing).Decode(&text); text != "File not found" {
		t.Errorf("error %q", text)
	}
	ann.Emit("file upload", "page.txt", []byte("<!doctype html><script>alert(1)</script>"))
	if (<-bad).Decode(&text); text != "File type is not allowed" {
		t.Errorf("error %q", text)
	}
	ann.Emit("file upload", "..", content)
	if (<-bad).Decode(&text); text != "File name is not allowed" {
		t.Errorf("error %q", text)
	}
}

var (
	begin    = socketio.NewEventWithAck[files.Begin, files.Begun]("upload begin")
	chunk    = socketio.NewEventWithAck[files.Piece, files.Progress]("upload chunk")
	end      = socketio.NewEventWithAck[files.End, files.Info]("upload end")
	download = socketio.NewEventWithAck[files.Range, []byte]("download chunk")
)

// In pieces, across a cut, with the answer to one piece lost.
func TestResume(t *testing.T) {
	store := open(t, t.TempDir(), nil)
	defer store.Close()
	dial := serve(t, store)
	content := noise(5*files.Chunk + 77)
	ctx := t.Context()
	first := dial()
	if err := first.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	up, err := begin.EmitWithAck(ctx, first, files.Begin{Name: "big.bin", Size: int64(len(content))})
	if err != nil || up.Chunk != files.Chunk {
		t.Fatalf("%+v, %v", up, err)
	}
	piece := func(at int) files.Piece {
		return files.Piece{ID: up.ID, Offset: int64(at), Data: content[at:min(len(content), at+files.Chunk)]}
	}
	for _, at := range []int{0, files.Chunk, files.Chunk} { // the last one again
		if p, err := chunk.EmitWithAck(ctx, first, piece(at)); err != nil || p.Offset != int64(at+files.Chunk) {
			t.Fatalf("piece at %d: %+v, %v", at, p, err)
		}
	}
	first.Disconnect()
	second := dial()
	if err := second.Connect(ctx); err != nil {
		t.Fatal(err)
	}
	again, err := begin.EmitWithAck(ctx, second, files.Begin{ID: up.ID})
	if err != nil || again.Offset != 2*files.Chunk {
		t.Fatalf("go on: %+v, %v", again, err)
	}
	for at := int(again.Offset); at < len(content); at += files.Chunk {
		if _, err := chunk.EmitWithAck(ctx, second, piece(at)); err != nil {
			t.Fatal(err)
		}
	}
	info, err := end.EmitWithAck(ctx, second, files.End{ID: up.ID, SHA256: sumOf(content)})
	if err != nil || info.SHA256 != sumOf(content) || info.Size != int64(len(content)) {
		t.Fatalf("end: %+v, %v", info, err)
	}
	var got []byte
	for len(got) < len(content) {
		b, err := download.EmitWithAck(ctx, second, files.Range{Name: "big.bin", Offset: int64(len(got))})
		if err != nil || len(b) == 0 {
			t.Fatal(len(b), err)
		}
		got = append(got, b...)
	}
	if !bytes.Equal(got, content) {
		t.Error("what came back is another file")
	}
}

// Who asks for more and more and reads nothing is cut before it fills the memory.
func TestSlowReceiver(t *testing.T) {
	store := open(t, t.TempDir(), nil)
	defer store.Close()
	if _, err := store.Put("big.bin", "", noise(files.Chunk)); err != nil {
		t.Fatal(err)
	}
	srv := socketio.NewServer(nil)
	files.New(srv.Of("/"), store)
	var most atomic.Int64 // bytes that wait for the socket
	srv.UseEvents(func(_ context.Context, s *socketio.Socket, _ *socketio.Message) error {
		waiting, _ := s.Buffered()
		most.Store(max(most.Load(), int64(waiting)))
		return nil
	})
	cut := make(chan socketio.DisconnectReason, 1)
	srv.OnDisconnect(func(_ context.Context, _ *socketio.Socket, why socketio.DisconnectReason) { cut <- why })
	hs := httptest.NewServer(srv)
	defer hs.Close()
	defer srv.Close()
	slow, err := rawclient.DialWebSocket(t.Context(), hs.URL+"/socket.io/")
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	if err := rawclient.Join(t.Context(), slow); err != nil {
		t.Fatal(err)
	}
	for i := range 1000 { // for 64 MB, far more than any system keeps on its way
		if err := slow.Send(t.Context(), fmt.Sprintf(`42%d["download chunk","big.bin",0]`, i)); err != nil {
			break // it has been cut
		}
	}
	why := <-cut
	if n := most.Load(); n < files.Chunk || n > 1<<20+files.Chunk {
		t.Errorf("%d bytes waited when it was cut (%s); want at most 1 MiB", n, why)
	}
}

func TestLimits(t *testing.T) {
	store := open(t, t.TempDir(), &files.Limits{MaxFile: 1000, MaxTotal: 1500, MaxFiles: 3, MaxUploads: 2})
	defer store.Close()
	if _, err := store.Begin("a", "", 1001); !errors.Is(err, files.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	if _, err := store.Begin("a", "", -1); !errors.Is(err, files.ErrTooLarge) {
		t.Errorf("negative: %v", err)
	}
	id, err := store.Begin("a.bin", "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Begin("b", "", 501); !errors.Is(err, files.ErrNoSpace) {
		t.Errorf("more than there is: %v", err)
	}
	content := noise(1001)
	for _, test := range []struct {
		at   int64
		data []byte
		want error
	}{
		{5, content[:5], files.ErrBadOffset}, {-1, content[:5], files.ErrBadOffset}, {0, content, files.ErrTooLarge},
		{0, content[:600], nil}, {600, content[:401], files.ErrTooLarge},
	} {
		if _, err := store.Write(id, test.at, test.data); !errors.Is(err, test.want) {
			t.Errorf("%d bytes at %d: %v; want %v", len(test.data), test.at, err, test.want)
		}
	}
	if _, err := store.Finish(id, ""); !errors.Is(err, files.ErrBadOffset) {
		t.Errorf("finished too early: %v", err)
	}
	if _, err := store.Write(id, 600, content[600:1000]); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Finish(id, sumOf(content)); !errors.Is(err, files.ErrChecksum) {
		t.Errorf("another checksum: %v", err)
	}
	store.Abort(id)
	if _, err := store.Write(id, 0, nil); !errors.Is(err, files.ErrNoUpload) {
		t.Errorf("after the end: %v", err)
	}
	for range 2 {
		if _, err := store.Begin("c", "", 1); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.Begin("c", "", 1); !errors.Is(err, files.ErrTooMany) {
		t.Errorf("a third upload: %v", err)
	}
}

// An upload that nobody goes on with gives its space back.
func TestExpiry(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		store := open(t, dir, nil)
		id, err := store.Begin("a", "", 100)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Minute)
		if _, err := store.Write(id, 0, noise(50)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10*time.Minute - 1)
		if _, err := store.Offset(id); err != nil {
			t.Errorf("too early: %v", err)
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if _, err := store.Offset(id); !errors.Is(err, files.ErrNoUpload) {
			t.Errorf("after ten minutes: %v", err)
		}
		if left, _ := fs.ReadDir(os.DirFS(dir), "."); len(left) != 0 {
			t.Errorf("%d files are left", len(left))
		}
		store.Close()
	})
}

// Files, their numbers and their pictures are there the next time; what was not
// finished is not.
func TestRestart(t *testing.T) {
	dir := t.TempDir()
	store := open(t, dir, nil)
	picture := image.NewRGBA(image.Rect(0, 0, 640, 320))
	for x := range 640 {
		picture.Set(x, x/2, color.RGBA{200, 60, 30, 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := store.Put("river.png", "", b.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	// A picture that claims to be far larger than anybody may decode.
	bomb := bytes.Clone(b.Bytes())
	copy(bomb[16:], []byte{0, 1, 0, 0, 0, 1, 0, 0})
	if i, err := store.Put("bomb.png", "", bomb); err != nil || i.Thumbnail {
		t.Errorf("bomb: %+v, %v", i, err)
	}
	if _, err := store.Begin("half", "", 100); err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(dir, "LEFTOVER"), nil, 0o600)

	store = open(t, dir, nil) // as after a crash: the first was not closed
	defer store.Close()
	var names []string
	for _, i := range store.List() {
		names = append(names, i.Name)
	}
	if len(names) != 3 || !strings.Contains(strings.Join(names, " "), "river (2).png") {
		t.Errorf("files %q", names)
	}
	thumb, err := store.Thumbnail("river.png")
	if err != nil {
		t.Fatal(err)
	}
	small, err := jpeg.DecodeConfig(bytes.NewReader(thumb))
	if err != nil || small.Width != 160 || small.Height != 80 {
		t.Errorf("thumbnail %+v, %v", small, err)
	}
	if left, _ := fs.ReadDir(os.DirFS(dir), "."); len(left) != 3*2+2 {
		t.Errorf("%d files on the disk", len(left))
	}
}

// FuzzCleanName: a name is one that every system takes as the name of a file.
func FuzzCleanName(f *testing.F) {
	for _, s := range []string{"../../etc/passwd", `C:\x\y.txt`, "a\x00b", ".hidden", "con.txt", "fish\u202egpj.exe", "…", "", "x. . .", "🐟.png"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, err := files.CleanName(s)
		if err != nil {
			return
		}
		if again, err := files.CleanName(name); err != nil || again != name {
			t.Errorf("%q became %q, and that %q, %v", s, name, again, err)
		}
		if strings.ContainsAny(name, "/\\:*?\"<>|\x00") || strings.HasPrefix(name, ".") || !filepath.IsLocal(name) ||
			strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q became %q", s, name)
		}
	})
}
