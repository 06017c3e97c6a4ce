package socketio_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/sockeye-go/socketio"

// arrows says what each package of the layers may import of this module, tests
// apart. .golangci.yml says the same to the linter. A package that is not here
// stands on top: none of these can import it.
var arrows = map[string][]string{
	"internal/ws":         {},
	"internal/stack":      {},
	"internal/poll":       {"internal/stack"},
	"internal/jsonfields": {},
	"internal/typescript": {"internal/jsonfields"},
	"internal/jsontext":   {},
	"internal/msgpack":    {"internal/jsonfields", "internal/jsontext", "parser"},
	"parser":              {"internal/jsonfields", "internal/jsontext"},
	"parser/msgpack":      {"internal/msgpack", "parser"},
	"internal/tally":      {},
	"internal/index":      {},
	"internal/pressure":   {},
	"internal/component":  {},
	"web":                 {},
	"engineio":            {"internal/component", "internal/index", "internal/ws", "internal/poll", "internal/pressure", "internal/tally"},
	"engineio/forward":    {"engineio", "internal/poll", "internal/ws"},
	"adapter":             {"engineio", "internal/index", "internal/poll", "parser"},
	"adapter/adaptertest": {"adapter", "adapter/cluster", "engineio", "parser"},
	"":                    {"adapter", "engineio", "parser", "web", "internal/component", "internal/stack", "internal/tally", "internal/typescript"},
	"client":              {"", "engineio", "parser"},
}

// TestArrows holds the layers: they import downwards only.
func TestArrows(t *testing.T) {
	seen := 0
	for _, p := range list(t, "./...") {
		name := local(p.ImportPath)
		allowed, ruled := arrows[name]
		if !ruled {
			continue
		}
		seen++
		for _, imported := range p.Imports {
			if !inModule(imported) {
				if strings.Contains(strings.Split(imported, "/")[0], ".") {
					t.Errorf("package %q imports %s, of another module", name, imported)
				}
				continue
			}
			if !slices.Contains(allowed, local(imported)) {
				t.Errorf("package %q imports %q: that arrow is not in the design", name, local(imported))
			}
		}
	}
	if seen < 8 {
		t.Errorf("only %d of the packages with a rule were found", seen)
	}
}

// TestDependencies holds the promise of the README: who imports the package gets
// the standard library and packages of this module, and nothing else.
func TestDependencies(t *testing.T) {
	deps := list(t, "-deps", ".")
	for _, p := range deps {
		if !p.Standard && !inModule(p.ImportPath) {
			t.Errorf("package socketio depends on %s", p.ImportPath)
		}
	}
	if len(deps) < 50 {
		t.Errorf("only %d dependencies were found", len(deps))
	}
}

type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string
}

func list(t *testing.T, args ...string) []listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Standard,Imports"}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p listed
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func inModule(path string) bool { return path == module || strings.HasPrefix(path, module+"/") }

func local(path string) string {
	return strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
}
