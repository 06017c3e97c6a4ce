package socketio_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// wallClock names the functions that take a time apart as one of the wall clock,
// and why they may. Everything else measures by the monotonic clock, which
// time.Time carries along until one of those methods loses it, so that nothing
// happens early, late or never because somebody set the clock of a machine.
var wallClock = map[string]string{
	"admin/access.go:logIn":               "the end of a login is a time of the wall clock: other nodes read it",
	"admin/access.go:revoke":              "likewise",
	"admin/access.go:open":                "likewise",
	"adapter/cluster/record.go:wire":      "since when a client is away: another node reads it",
	"adapter/cluster/recover.go:sayAlive": "when a node was there last: another node reads it",
	"adapter/nats/jetstream.go:ensure":    "when NATS made the log, which tells it from another",
	"admin/events.go:take":                "ids that sort by time, for people",
	"admin/instrument.go:Instrument":      "somebody looks: at worst as much longer as the clock was set back",
	"admin/instrument.go:looking":         "likewise",
	"admin/nodes.go:hear":                 "shown to people",
	"admin/nodes.go:tell":                 "shown to people",
	"admin/sampler.go:point":              "shown to people",
	"admin/search.go:socketView":          "shown to people",
	"admin/snapshot.go:walkBacklog":       "shown to people",
	"admin/stats.go:events":               "shown to people",
	"admin/stream.go:viewOf":              "shown to people",
	"internal/msgpack/wire.go:AppendTime": "a value of the application",
	"middleware/auth/auth.go:expiry":      "the end of a token is a time of the wall clock",
	"middleware/ratelimit/rate.go:Take":   "its caller's time; Memory brings one that nobody sets",
	"middleware/ratelimit/store.go:clean": "the time of Memory's own clock",
	"remote.go:describeHandshake":         "shown to people",
	"tap.go:take":                         "only whether it is another second",
}

// TestNoWallClock finds whatever else does.
func TestNoWallClock(t *testing.T) {
	lossy := map[string]bool{"Unix": true, "UnixMilli": true, "UnixMicro": true, "UnixNano": true}
	found := make(map[string]bool)
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		top, _, _ := strings.Cut(filepath.ToSlash(path), "/")
		switch {
		case err != nil:
			return err
		case d.IsDir() && (top == "bench" || top == "cmd" || top == "examples" || top == "interop" || d.Name() == "node_modules" || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && lossy[s.Sel.Name] && !makesTime(s) {
					found[filepath.ToSlash(path)+":"+f.Name.Name] = true
				}
				return true
			})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for place := range found {
		if wallClock[place] == "" {
			t.Errorf("%s reads the wall clock; if it must, say why in wallClock", place)
		}
	}
	for place := range wallClock {
		if !found[place] {
			t.Errorf("%s no longer reads the wall clock", place)
		}
	}
}

// makesTime: time.Unix and its kin make a time and take none apart.
func makesTime(s *ast.SelectorExpr) bool {
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == "time"
}
