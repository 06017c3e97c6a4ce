package web_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/andybalholm/brotli"

	"github.com/sockeye-go/socketio/web"
)

// TestServeEncoded: the encoding that the client takes, from bytes made before.
func TestServeEncoded(t *testing.T) {
	tests := []struct{ accept, encoding string }{
		{"", ""},
		{"gzip, deflate, br, zstd", "br"},
		{"gzip, deflate", "gzip"},
		{"GZIP", "gzip"},
		{"br;q=0, gzip;q=0.5", "gzip"},
		{"br; q=0.0, gzip; q=0", ""},
		{"br;q=x", ""},
		{"deflate, zstd, *", ""},
		{"identity", ""},
	}
	for _, f := range web.Files() {
		for _, tt := range tests {
			for _, method := range []string{"GET", "HEAD"} {
				r := httptest.NewRequest(method, "/socket.io/"+f.Name, nil)
				r.Header.Set("Accept-Encoding", tt.accept)
				w := httptest.NewRecorder()
				web.Serve(w, r)
				h := w.Header()
				if h.Get("Content-Encoding") != tt.encoding || h.Get("Vary") != "Accept-Encoding" || h.Get("Content-Type") != f.ContentType {
					t.Errorf("%s, %q: %v; want encoding %q", f.Name, tt.accept, h, tt.encoding)
				}
				etag := f.ETag
				if tt.encoding != "" {
					etag = "W/" + etag
				}
				if h.Get("ETag") != etag {
					t.Errorf("%s, %q: ETag %s; want %s", f.Name, tt.accept, h.Get("ETag"), etag)
				}
				if method == "HEAD" {
					if n, _ := strconv.Atoi(h.Get("Content-Length")); n == 0 || w.Body.Len() != 0 {
						t.Errorf("%s, %q: HEAD has %d bytes, and says %d", f.Name, tt.accept, w.Body.Len(), n)
					}
					continue
				}
				if h.Get("Content-Length") != strconv.Itoa(w.Body.Len()) {
					t.Errorf("%s, %q: Content-Length %s for %d bytes", f.Name, tt.accept, h.Get("Content-Length"), w.Body.Len())
				}
				if !bytes.Equal(decoded(t, tt.encoding, w.Body), f.Data) {
					t.Errorf("%s, %q: other content", f.Name, tt.accept)
				}
				again := httptest.NewRequest(method, "/socket.io/"+f.Name, nil)
				again.Header.Set("If-None-Match", etag)
				w = httptest.NewRecorder()
				if web.Serve(w, again); w.Code != http.StatusNotModified {
					t.Errorf("%s, %q: %d for its own ETag", f.Name, tt.accept, w.Code)
				}
			}
		}
	}
}

func decoded(t *testing.T, encoding string, body io.Reader) []byte {
	t.Helper()
	var err error
	switch encoding {
	case "br":
		body = brotli.NewReader(body)
	case "gzip":
		if body, err = gzip.NewReader(body); err != nil {
			t.Fatal(err)
		}
	}
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
