// Command build bundles the browser client: go run ./web/build writes web/dist,
// with -check it only compares, with -app it writes what a bundler makes of a
// program that imports an entry point.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"strings"

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

const banner = "/*! Sockeye, a Socket.IO client. MIT licence. */"

// A bundle is one file of dist, and its source map.
type bundle struct {
	name, entry string
	format      api.Format
	minify      bool
	dev         bool // with warnings
	node        bool
	core        bool // with WebSocket alone
	msgpack     bool // with MessagePack as its codec
	shares      bool // takes the codec from parser.js
	external    []string
}

// frameworks is what the entry for each of them takes from the application.
var frameworks = map[string][]string{
	"react":  {"react", "sockeye-client"},
	"vue":    {"vue", "sockeye-client"},
	"svelte": {"svelte/store", "sockeye-client"},
}

// bundles lists what is in dist. The files with the official names are what the
// server hands out; the others are what package.json points to.
func bundles() []bundle {
	const esm, cjs = api.FormatESModule, api.FormatCommonJS
	list := []bundle{
		{name: "socket.io.js", entry: "umd.ts", format: cjs, dev: true},
		{name: "socket.io.min.js", entry: "umd.ts", format: cjs, minify: true},
		{name: "socket.io.msgpack.min.js", entry: "umd-msgpack.ts", format: cjs, minify: true, msgpack: true},
		{name: "socket.io.esm.min.js", entry: "served.ts", format: esm, minify: true},
	}
	for name, entry := range map[string]string{"node": "node.ts", "msgpack.node": "msgpack.ts"} {
		list = append(list,
			bundle{name: name + ".js", entry: entry, format: esm, dev: true, node: true},
			bundle{name: name + ".cjs", entry: entry, format: cjs, dev: true, node: true})
	}
	list = append(list, bundle{name: "parser.js", entry: "parser.ts", format: esm, minify: true})
	for _, entry := range []string{"index", "core", "webtransport", "msgpack"} {
		core := entry == "core"
		list = append(list,
			bundle{name: entry + ".js", entry: entry + ".ts", format: esm, minify: true, core: core, shares: true},
			bundle{name: entry + ".dev.js", entry: entry + ".ts", format: esm, dev: true, core: core})
	}
	for name, external := range frameworks {
		list = append(list, bundle{name: name + ".js", entry: name + ".ts", format: esm, minify: true, external: external})
	}
	return list
}

func main() {
	log.SetFlags(0)
	check := flag.Bool("check", false, "fail if dist is not what the sources make")
	app := flag.String("app", "", "bundle this `program` as an application would, to standard output")
	parser := flag.String("parser", "", "write the codec for tests into this `file`")
	flag.Parse()
	web := root()
	switch {
	case *app != "":
		application(web, *app)
		return
	case *parser != "":
		o := options(web, bundle{entry: "parser.ts", format: api.FormatESModule, dev: true})
		o.Outfile, o.Sourcemap = *parser, api.SourceMapNone
		for _, f := range run(o) {
			write(f.Path, f.Contents)
		}
		return
	}
	stale := false
	for _, b := range bundles() {
		if _, err := os.Stat(filepath.Join(web, "src", b.entry)); err != nil {
			continue
		}
		for _, f := range run(options(web, b)) {
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

// engines are the browsers of the last five years.
var engines = []api.Engine{
	{Name: api.EngineChrome, Version: "95"}, {Name: api.EngineFirefox, Version: "93"}, {Name: api.EngineSafari, Version: "15"},
}

func options(web string, b bundle) api.BuildOptions {
	o := api.BuildOptions{
		EntryPoints:   []string{filepath.Join(web, "src", b.entry)},
		Outfile:       filepath.Join(web, "dist", b.name),
		AbsWorkingDir: web,
		Bundle:        true,
		Format:        b.format,
		Target:        api.ES2022,
		Engines:       engines,
		Sourcemap:     api.SourceMapLinked,
		LogLevel:      api.LogLevelWarning,
		Banner:        map[string]string{"js": banner},
		External:      b.external,
		Define:        define(b),

		MinifyWhitespace:  b.minify,
		MinifyIdentifiers: b.minify,
		MinifySyntax:      b.minify,
		// Private by name: nothing outside of the client knows these. The names
		// are fixed, because an entry point has to fit the others.
		MangleProps: "^_[a-z]",
		MangleCache: names(web),
	}
	if b.shares {
		o.Plugins = []api.Plugin{{Name: "share the codec", Setup: func(build api.PluginBuild) {
			build.OnResolve(api.OnResolveOptions{Filter: `/(parser|binary)$`}, func(api.OnResolveArgs) (api.OnResolveResult, error) {
				return api.OnResolveResult{Path: "./parser.js", External: true}, nil
			})
		}}}
	}
	if b.node {
		o.Platform = api.PlatformNode
		o.Inject = []string{filepath.Join(web, "src", "later.ts")}
		o.Engines = []api.Engine{{Name: api.EngineNode, Version: "18"}}
		if b.format == api.FormatCommonJS {
			o.Define["import.meta.url"] = `""`
		} else {
			o.Define["__filename"] = "undefined"
		}
	}
	if strings.HasPrefix(b.entry, "umd") {
		o.Banner["js"] += "\n" + umdHead
		o.Footer = map[string]string{"js": umdTail}
	}
	return o
}

func define(b bundle) map[string]string {
	is := func(yes bool) string { return fmt.Sprint(yes) }
	later := "setTimeout"
	if b.node {
		later = "later"
	}
	return map[string]string{"later": later, "soon": "queueMicrotask", "__DEV__": is(b.dev), "__NODE__": is(b.node), "__CORE__": is(b.core), "__MSGPACK__": is(b.msgpack)}
}

func run(o api.BuildOptions) []api.OutputFile {
	result := api.Build(o)
	if len(result.Errors) > 0 {
		os.Exit(1) // esbuild has said why
	}
	for name := range result.MangleCache {
		if _, known := o.MangleCache[name]; !known {
			log.Fatalf("%s: shapes in names.go does not say which objects have %s", filepath.Base(o.Outfile), name)
		}
	}
	return result.OutputFiles
}

// application bundles a program that imports the package by its name.
func application(web, program string) {
	alias := map[string]string{}
	for _, entry := range []string{"core", "webtransport", "msgpack"} {
		alias["sockeye-client/"+entry] = filepath.Join(web, "dist", entry+".js")
	}
	var externals []string
	for name, external := range frameworks {
		alias["sockeye-client/"+name] = filepath.Join(web, "dist", name+".js")
		if strings.Contains(program, "/"+name) {
			externals = external
		}
	}
	if externals == nil {
		alias["sockeye-client"] = filepath.Join(web, "dist", "index.js")
	}
	for _, f := range run(api.BuildOptions{
		Stdin:  &api.StdinOptions{Contents: program, ResolveDir: web},
		Bundle: true, Format: api.FormatESModule, LogLevel: api.LogLevelWarning,
		Alias: alias, External: externals,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
		LegalComments: api.LegalCommentsNone,
	}) {
		_, _ = os.Stdout.Write(f.Contents)
	}
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
