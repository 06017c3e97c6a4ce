package connect

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

// maxShownBytes is how much of an attachment is shown.
const maxShownBytes = 16

// renderArgs shows arguments in colours: in one line if they fit into width, in
// many otherwise.
func renderArgs(style cli.Style, args []any, width int) string {
	parts := make([]string, len(args))
	total := 0
	for i, a := range args {
		parts[i] = render(cli.Plain, a, -1)
		total += len(parts[i]) + 1
	}
	indent := -1
	if total > width {
		indent = 1
	}
	for i, a := range args {
		parts[i] = render(style, a, indent)
	}
	return strings.Join(parts, " ")
}

// render shows a value as JSON. indent is the depth, -1 for one line.
func render(s cli.Style, v any, indent int) string {
	switch v := v.(type) {
	case nil:
		return s.Magenta("null")
	case bool:
		return s.Magenta(strconv.FormatBool(v))
	case string:
		return s.Green(quote(v))
	case []byte:
		return s.Yellow(bytesText(v))
	case []any:
		items := make([]string, len(v))
		for i := range v {
			items[i] = render(s, v[i], deeper(indent))
		}
		return group("[", "]", items, indent)
	case map[string]any:
		items := make([]string, 0, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			colon := ":"
			if indent >= 0 {
				colon = ": "
			}
			items = append(items, s.Blue(quote(k))+colon+render(s, v[k], deeper(indent)))
		}
		return group("{", "}", items, indent)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) { // of MessagePack; JSON has none
			return s.Cyan(strconv.FormatFloat(v, 'g', -1, 64))
		}
	}
	b, err := json.Marshal(v)
	if err != nil {
		return s.Red(err.Error())
	}
	return s.Cyan(string(b))
}

func deeper(indent int) int {
	if indent < 0 {
		return indent
	}
	return indent + 1
}

func group(open, end string, items []string, indent int) string {
	if len(items) == 0 {
		return open + end
	}
	if indent < 0 {
		return open + strings.Join(items, ",") + end
	}
	in := "\n" + strings.Repeat("  ", indent+1)
	return open + in + strings.Join(items, ","+in) + "\n" + strings.Repeat("  ", indent) + end
}

// quote is a JSON string that shows what a terminal would obey.
func quote(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s)
	return cli.Printable(strings.TrimSuffix(b.String(), "\n"))
}

func bytesText(b []byte) string {
	shown := b[:min(len(b), maxShownBytes)]
	more := ""
	if len(shown) < len(b) {
		more = "…"
	}
	unit := "bytes"
	if len(b) == 1 {
		unit = "byte"
	}
	return strings.TrimSpace(fmt.Sprintf("<%d %s % x%s", len(b), unit, shown, more)) + ">"
}
