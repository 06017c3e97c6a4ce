package compress_test

import (
	"bytes"
	stdflate "compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/sockeye-go/socketio/engineio"
	"github.com/sockeye-go/socketio/engineio/compress"
)

func body(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for b.Len() < n {
		fmt.Fprintf(&b, `{"id":%d,"from":"user%d","text":"message about thing %d"},`, r.IntN(1e9), r.IntN(50), r.IntN(1000))
	}
	return b.Bytes()[:n]
}

func TestEncodings(t *testing.T) {
	brReader := func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil }
	for name, e := range map[string]engineio.Encoding{"gzip": compress.Gzip(1), "br": compress.Brotli(4), "zstd": compress.Zstd()} {
		t.Run(name, func(t *testing.T) {
			if e.Name != name {
				t.Errorf("Name = %q", e.Name)
			}
			for _, n := range []int{0, 1, 2000, 300_000, 2000} { // writers are used again
				src := body(n)
				out, err := e.Append([]byte("head"), src)
				if err != nil || !bytes.HasPrefix(out, []byte("head")) || n >= 2000 && len(out) > n/2 {
					t.Fatalf("%d bytes for %d, %v", len(out), n, err)
				}
				reader := e.NewReader
				if reader == nil {
					reader = brReader
				}
				r, err := reader(bytes.NewReader(out[4:]))
				if err != nil {
					t.Fatal(err)
				}
				if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, src) {
					t.Fatalf("%d bytes come back, %v; want %d", len(got), err, n)
				}
			}
		})
	}
}

// TestZstdWindow: a body that wants a large window is refused.
func TestZstdWindow(t *testing.T) {
	var b bytes.Buffer
	w, err := zstd.NewWriter(&b, zstd.WithWindowSize(64<<20))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		w.Write(make([]byte, 1<<20))
	}
	w.Close()
	r, err := compress.Zstd().NewReader(&b)
	if err == nil {
		_, err = io.ReadAll(r)
	}
	if err == nil {
		t.Error("accepted")
	}
}

func TestDeflate(t *testing.T) {
	w := compress.Deflate(1)()
	for range 2 {
		var b bytes.Buffer
		w.Reset(&b)
		w.Write(body(5000))
		w.Flush()
		got := make([]byte, 5000)
		if _, err := io.ReadFull(stdflate.NewReader(&b), got); err != nil || !bytes.Equal(got, body(5000)) {
			t.Fatal("it does not come back", err)
		}
	}
}

func TestLevels(t *testing.T) {
	for name, f := range map[string]func(){
		"Deflate(0)": func() { compress.Deflate(0) }, "Deflate(10)": func() { compress.Deflate(10) },
		"Gzip(0)": func() { compress.Gzip(0) }, "Gzip(10)": func() { compress.Gzip(10) },
		"Brotli(-1)": func() { compress.Brotli(-1) }, "Brotli(12)": func() { compress.Brotli(12) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

type sink struct{}

func (sink) Receive(engineio.Message)      {}
func (sink) Flush(bool)                    {}
func (sink) Closed(engineio.Reason, error) {}

// TestServer: a poll is answered in the encoding that both like best.
func TestServer(t *testing.T) {
	text := strings.Repeat("words ", 1000)
	srv := engineio.NewServer(&engineio.Options{
		HTTPCompression: &engineio.HTTPCompression{Encodings: []engineio.Encoding{compress.Zstd(), compress.Brotli(4), compress.Gzip(1)}},
		OnSession: func(s *engineio.Session, _ *http.Request) engineio.Receiver {
			if err := s.SendMessage(engineio.Message{Data: []byte(text)}, 0); err != nil {
				t.Error(err)
			}
			return sink{}
		},
	})
	defer srv.Close()
	for accept, want := range map[string]string{"gzip, deflate, br, zstd": "zstd", "gzip, br": "br", "gzip": "gzip"} {
		r := httptest.NewRequest("GET", "/?EIO=4&transport=polling", nil)
		r.Header.Set("Accept-Encoding", accept)
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		if got := w.Header().Get("Content-Encoding"); got != want || w.Body.Len() > 500 {
			t.Errorf("%s: %q, %d bytes; want %q", accept, got, w.Body.Len(), want)
		}
	}
}

// BenchmarkDeflate compares with the standard library.
func BenchmarkDeflate(b *testing.B) {
	for _, n := range []int{1024, 4096, 65536} {
		src := body(n)
		for name, w := range map[string]engineio.DeflateWriter{"std": func() engineio.DeflateWriter {
			w, _ := stdflate.NewWriter(io.Discard, 1)
			return w
		}(), "compress": compress.Deflate(1)()} {
			b.Run(fmt.Sprintf("%d/%s", n, name), func(b *testing.B) {
				var out bytes.Buffer
				for b.Loop() {
					out.Reset()
					w.Reset(&out)
					w.Write(src)
					w.Flush()
				}
				b.ReportMetric(100*float64(out.Len())/float64(n), "%")
			})
		}
	}
}
