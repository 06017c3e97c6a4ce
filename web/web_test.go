package web_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/sockeye-go/socketio/web"
)

var served = map[string]string{
	"socket.io.js":                 "application/javascript; charset=utf-8",
	"socket.io.js.map":             "application/json; charset=utf-8",
	"socket.io.min.js":             "application/javascript; charset=utf-8",
	"socket.io.min.js.map":         "application/json; charset=utf-8",
	"socket.io.esm.min.js":         "application/javascript; charset=utf-8",
	"socket.io.esm.min.js.map":     "application/json; charset=utf-8",
	"socket.io.msgpack.min.js":     "application/javascript; charset=utf-8",
	"socket.io.msgpack.min.js.map": "application/json; charset=utf-8",
}

// serve answers a request, and fails the test if nobody feels responsible.
func serve(t *testing.T, method, target, ifNoneMatch string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	if ifNoneMatch != "" {
		r.Header.Set("If-None-Match", ifNoneMatch)
	}
	w := httptest.NewRecorder()
	if !web.Serve(w, r) {
		t.Fatalf("%s %s: not served", method, target)
	}
	return w
}

func TestServe(t *testing.T) {
	for name, contentType := range served {
		t.Run(name, func(t *testing.T) {
			f, ok := web.Lookup(name)
			if !ok || len(f.Data) == 0 {
				t.Fatalf("Lookup: %v, %d bytes", ok, len(f.Data))
			}
			w := serve(t, "GET", "/socket.io/"+name+"?v=4.8.4", "")
			h := w.Header()
			if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), f.Data) {
				t.Errorf("status %d, %d bytes; want 200, %d", w.Code, w.Body.Len(), len(f.Data))
			}
			for key, want := range map[string]string{
				"Content-Type":           contentType,
				"Content-Length":         strconv.Itoa(len(f.Data)),
				"ETag":                   f.ETag,
				"Cache-Control":          "public, max-age=0",
				"X-Content-Type-Options": "nosniff",
			} {
				if got := h.Get(key); got != want {
					t.Errorf("%s: %q, want %q", key, got, want)
				}
			}
			if len(f.ETag) < 10 || f.ETag[0] != '"' || f.ETag[len(f.ETag)-1] != '"' {
				t.Errorf("ETag %s is not quoted", f.ETag)
			}
		})
	}
}

func TestETagsDiffer(t *testing.T) {
	seen := map[string]string{}
	for name := range served {
		f, _ := web.Lookup(name)
		if other, ok := seen[f.ETag]; ok {
			t.Errorf("%s and %s have one ETag", name, other)
		}
		seen[f.ETag] = name
	}
}

func TestServeHead(t *testing.T) {
	f, _ := web.Lookup("socket.io.js")
	w := serve(t, "HEAD", "/socket.io/socket.io.js", "")
	if w.Code != http.StatusOK || w.Body.Len() != 0 {
		t.Errorf("status %d, %d bytes; want 200 and none", w.Code, w.Body.Len())
	}
	if got := w.Header().Get("Content-Length"); got != strconv.Itoa(len(f.Data)) {
		t.Errorf("Content-Length: %s", got)
	}
}

func TestServeNotModified(t *testing.T) {
	f, _ := web.Lookup("socket.io.min.js")
	for _, tags := range []string{f.ETag, "W/" + f.ETag, `"other", W/` + f.ETag} {
		w := serve(t, "GET", "/socket.io/socket.io.min.js", tags)
		if w.Code != http.StatusNotModified || w.Body.Len() != 0 {
			t.Errorf("If-None-Match %s: status %d, %d bytes", tags, w.Code, w.Body.Len())
		}
		if etag := w.Header().Get("ETag"); etag != "" {
			t.Errorf("the 304 repeats the ETag %s", etag)
		}
	}
	for _, tags := range []string{`"other"`, strings.Trim(f.ETag, `"`)} {
		if w := serve(t, "GET", "/socket.io/socket.io.min.js", tags); w.Code != http.StatusOK {
			t.Errorf("If-None-Match %s: status %d, want 200", tags, w.Code)
		}
	}
}

func TestServeOnlyExactNames(t *testing.T) {
	for _, path := range []string{"/socket.io/", "/socket.io", "/socket.io/socket.io.JS", "/socket.io/socket.io.js.gz", "/socket.io/README", "/socket.io/socket.io.js/"} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", path, nil)
		want := path == "/socket.io/socket.io.js/" // path.Base does not see the slash
		if got := web.Serve(w, r); got != want {
			t.Errorf("%s: served %v", path, got)
		}
	}
}
