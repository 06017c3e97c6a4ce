package interop

import (
	"net/http/httptest"
	"os/exec"
	"testing"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/examples/chat/chat"
	"github.com/sockeye-go/socketio/examples/editor/editor"
	"github.com/sockeye-go/socketio/examples/files/files"
	"github.com/sockeye-go/socketio/examples/game/game"
)

// TestExamples lets the official client speak to the examples as the pages of the
// tutorials do.
func TestExamples(t *testing.T) {
	needParts(t)
	for name, register := range map[string]func(*testing.T, *socketio.Namespace){
		"chat": func(_ *testing.T, n *socketio.Namespace) { chat.New(n) },
		"editor": func(t *testing.T, n *socketio.Namespace) {
			ed := editor.New(n, nil)
			t.Cleanup(func() { ed.Close() })
		},
		"game": func(t *testing.T, n *socketio.Namespace) { t.Cleanup(game.New(n, nil).Close) },
		"files": func(t *testing.T, n *socketio.Namespace) {
			store, err := files.OpenStore(t.TempDir(), nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { store.Close() })
			files.New(n, store)
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := socketio.NewServer(nil)
			register(t, srv.Of("/"))
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
