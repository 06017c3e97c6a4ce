// Command build bundles the browser client: go run ./web/build writes web/dist,
// with -check it only compares, with -module DIR it writes what the tests
// import.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"

	"github.com/evanw/esbuild/pkg/api"
)

// The wrapper that a script tag, require() and AMD all understand; the bundle
// inside is CommonJS.
const (
	umdHead = `(function(root,make){if(typeof exports=="object"&&typeof module!="undefined")module.exports=make();` +
		`else if(typeof define=="function"&&define.amd)define(make);else root.io=make()})` +
		`(typeof globalThis!="undefined"?globalThis:self,function(){var module={exports:{}};`
	umdTail = `;return module.exports.default})`
)

// A bundle is one file of dist, and its source map.
type bundle struct {
	name, entry string
	format      api.Format
	minify      bool
}

var bundles = []bundle{
	{"socket.io.js", "umd.ts", api.FormatCommonJS, false},
	{"socket.io.min.js", "umd.ts", api.FormatCommonJS, true},
	{"socket.io.esm.min.js", "index.ts", api.FormatESModule, true},
}

func main() {
	log.SetFlags(0)
	check := flag.Bool("check", false, "fail if dist is not what the sources make")
	module := flag.String("module", "", "write an unminified module for tests into this `directory`")
	flag.Parse()
	web := root()
	if *module != "" {
		for _, f := range build(web, bundle{"client.mjs", "index.ts", api.FormatESModule, false}) {
			write(filepath.Join(*module, filepath.Base(f.Path)), f.Contents)
		}
		for _, f := range build(web, bundle{"parser.mjs", "parser.ts", api.FormatESModule, false}) {
			write(filepath.Join(*module, filepath.Base(f.Path)), f.Contents)
		}
		return
	}
	stale := false
	for _, b := range bundles {
		for _, f := range build(web, b) {
			if !*check {
				write(f.Path, f.Contents)
				continue
			}
			if have, err := os.ReadFile(f.Path); err != nil || !bytes.Equal(have, f.Contents) {
				fmt.Printf("%s is stale: run go run ./web/build\n", filepath.Base(f.Path))
				stale = true
			}
		}
	}
	if stale {
		os.Exit(1)
	}
}

func build(web string, b bundle) []api.OutputFile {
	o := api.BuildOptions{
		EntryPoints:   []string{filepath.Join(web, "src", b.entry)},
		Outfile:       filepath.Join(web, "dist", b.name),
		AbsWorkingDir: web,
		Bundle:        true,
		Format:        b.format,
		Target:        api.ES2020,
		Sourcemap:     api.SourceMapLinked,
		LogLevel:      api.LogLevelWarning,
		Banner:        map[string]string{"js": "/*! Sockeye, a Socket.IO client. MIT licence. */"},

		MinifyWhitespace:  b.minify,
		MinifyIdentifiers: b.minify,
		MinifySyntax:      b.minify,
	}
	if b.minify {
		// Private by name: nothing outside of the bundle knows these.
		o.MangleProps = "^_[a-z]"
	}
	if b.format == api.FormatCommonJS {
		o.Banner["js"] += "\n" + umdHead
		o.Footer = map[string]string{"js": umdTail}
	}
	result := api.Build(o)
	if len(result.Errors) > 0 {
		os.Exit(1) // esbuild has said why
	}
	return result.OutputFiles
}

// root is the folder web, wherever the program is run from.
func root() string {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		log.Fatal("build: where am I?")
	}
	return filepath.Dir(filepath.Dir(file))
}

func write(name string, data []byte) {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o644); err != nil {
		log.Fatal(err)
	}
}
