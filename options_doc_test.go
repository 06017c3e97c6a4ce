package socketio_test

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/sockeye-go/socketio"
	"github.com/sockeye-go/socketio/engineio"
)

// TestOptionsDoc holds docs/options.md to the fields there are, both ways.
func TestOptionsDoc(t *testing.T) {
	doc, err := os.ReadFile("docs/options.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\|[^|]*\\| `(\\w+)` \\|")
	for heading, options := range map[string]reflect.Type{
		"## socketio.Options": reflect.TypeFor[socketio.Options](),
		"## engineio.Options": reflect.TypeFor[engineio.Options](),
		"## CORS":             reflect.TypeFor[socketio.CORS](),
		"## Cookie":           reflect.TypeFor[socketio.Cookie](),
	} {
		_, section, _ := strings.Cut(string(doc), heading+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		rows := make(map[string]bool)
		for _, m := range row.FindAllStringSubmatch(section, -1) {
			if _, ok := options.FieldByName(m[1]); !ok {
				t.Errorf("%s has a row for %s, which is no field", heading, m[1])
			}
			rows[m[1]] = true
		}
		for i := range options.NumField() {
			if name := options.Field(i).Name; !rows[name] {
				t.Errorf("docs/options.md: %s has no row for %s", heading, name)
			}
		}
	}
}
