package main

import (
	"log"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// shapes lists the private properties of the client by the objects that have them.
// Two that never meet on one object get the same letter: the fewer letters there are,
// the better the client compresses.
var shapes = map[string]string{
	"Emitter":   "_listeners _fire _owner",
	"listener":  "_fn",
	"Engine":    "_listeners _fire _handshake _timer _deadline _uri _owner _write _url _create _flush _expired _awaitPing _packet _drain _end _close",
	"Host":      "_open _packet _drain _end",
	"Transport": "_host _send _close _pause",
	"kind":      "_start",
	"Manager":   "_listeners _fire _owner _stats _engine _retry _close _send",
	"Socket":    "_listeners _fire _owner _flags _any _open _packet _close",
	"Flags":     "_withError",
	"Decoder":   "_attach _done",
}

// letters are in the order in which minifiers like them: what names variables, too.
const letters = "etnrisouaflchpdvmgyb"

var private = regexp.MustCompile(`\b_[a-z]\w*`)

// names are the short names of all private properties, the same in every file:
// an entry point has to fit the others. The most frequent choose first.
func names(web string) map[string]any {
	if short != nil {
		return maps.Clone(short)
	}
	short = map[string]any{}
	count := map[string]int{}
	for _, pattern := range []string{"src/*.ts", "src/engine/*.ts"} {
		files, _ := filepath.Glob(filepath.Join(web, pattern))
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				log.Fatal(err)
			}
			for _, name := range private.FindAllString(string(text), -1) {
				count[name]++
			}
		}
	}
	taken := map[string]string{} // by object: its letters
	order := slices.SortedFunc(maps.Keys(count), func(a, b string) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		return strings.Compare(a, b)
	})
	for object, all := range shapes {
		for _, name := range strings.Fields(all) {
			if count[name] == 0 {
				log.Fatalf("shapes in names.go: there is no %s any more, of %s", name, object)
			}
		}
	}
	for _, name := range order {
		used := ""
		var objects []string
		for object, all := range shapes {
			if slices.Contains(strings.Fields(all), name) {
				objects = append(objects, object)
				used += taken[object]
			}
		}
		if objects == nil {
			continue // no property, or run would say so
		}
		letter := letters[strings.IndexFunc(letters, func(r rune) bool { return !strings.ContainsRune(used, r) })]
		for _, object := range objects {
			taken[object] += string(letter)
		}
		short[name] = string(letter)
	}
	return maps.Clone(short)
}

var short map[string]any
