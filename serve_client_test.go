package socketio_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sockeye-go/socketio"
)

// TestServeClient: the files of the client beside the engine: their names, CORS
// on them, and what is no file goes to the engine.
func TestServeClient(t *testing.T) {
	srv := socketio.NewServer(&socketio.Options{CORS: &socketio.CORS{Origins: []string{"https://page.example"}}})
	defer srv.Close()
	serve := func(method, path string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, nil)
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		srv.ServeHTTP(w, r)
		return w
	}
	for _, name := range []string{"socket.io.js", "socket.io.min.js", "socket.io.esm.min.js"} {
		for _, suffix := range []string{"", ".map", "?v=1"} {
			for _, method := range []string{"GET", "HEAD", "POST"} { // as the original
				w := serve(method, "/socket.io/"+name+suffix, "Origin", "https://page.example")
				h := w.Header()
				if w.Code != 200 || h.Get("ETag") == "" || h.Get("Access-Control-Allow-Origin") != "https://page.example" || strings.Join(h["Vary"], ", ") != "Origin, Accept-Encoding" {
					t.Errorf("%s %s%s = %d %v", method, name, suffix, w.Code, h)
				}
			}
		}
		js := serve("GET", "/socket.io/"+name).Body.String()
		if end := js[strings.LastIndex(strings.TrimSpace(js), "\n")+1:]; !strings.HasPrefix(end, "//# sourceMappingURL="+name+".map") {
			t.Errorf("%s ends with %q", name, end)
		}
	}
	w := serve("OPTIONS", "/socket.io/socket.io.js", "Origin", "https://page.example", "Access-Control-Request-Headers", "x-a")
	if w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Headers") != "x-a" || w.Body.Len() != 0 {
		t.Errorf("preflight = %d %v", w.Code, w.Header())
	}
	for _, name := range []string{"socket.io.js.gz", "socket.io.slim.js", "Socket.io.js", "socket.io.js.br"} {
		if w := serve("GET", "/socket.io/"+name); w.Code != 400 || !strings.HasPrefix(w.Body.String(), `{"code":0,"message":"Transport unknown"`) {
			t.Errorf("%s = %d %q; want it to be left to the engine", name, w.Code, w.Body)
		}
	}
	off := socketio.NewServer(&socketio.Options{DisableClient: true})
	defer off.Close()
	rec := httptest.NewRecorder()
	if off.ServeHTTP(rec, httptest.NewRequest("GET", "/socket.io/socket.io.js", nil)); rec.Code != 400 {
		t.Errorf("DisableClient: %d", rec.Code)
	}
}
