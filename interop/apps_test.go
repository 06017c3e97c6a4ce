package interop

import (
	"net/http/httptest"
	"os/exec"
	"testing"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/examples/basics/basics"
	"github.com/sockeye-go/socketio/examples/chat/chat"
	"github.com/sockeye-go/socketio/examples/editor/editor"
	"github.com/sockeye-go/socketio/examples/files/files"
	"github.com/sockeye-go/socketio/examples/game/game"
)

// TestExamples lets the official client speak to the examples as the pages of the
// tutorials do.
func TestExamples(t *testing.T) {
	needParts(t)
	for name, register := range map[string]func(*testing.T, *socketio.Server){
		"basics": func(_ *testing.T, srv *socketio.Server) { basics.New(srv, "secret") },
		"chat":   func(_ *testing.T, srv *socketio.Server) { chat.New(srv.Of("/")) },
		"editor": func(t *testing.T, srv *socketio.Server) {
			ed := editor.New(srv.Of("/"), nil)
			t.Cleanup(func() { ed.Close() })
		},
		"game": func(t *testing.T, srv *socketio.Server) { t.Cleanup(game.New(srv.Of("/"), nil).Close) },
		"files": func(t *testing.T, srv *socketio.Server) {
			store, err := files.OpenStore(t.TempDir(), nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { store.Close() })
			files.New(srv.Of("/"), store)
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := socketio.NewServer(nil)
			register(t, srv)
			hs := httptest.NewServer(srv)
			defer hs.Close()
			defer srv.Close()
			cmd := exec.CommandContext(t.Context(), "node", "apps.mjs", name, hs.URL)
			cmd.Dir = "node"
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
