//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A report is what a run measured, with what one has to know to make it again.
type report struct {
	Date     string            `json:"date"`
	Command  string            `json:"command"`
	Versions map[string]string `json:"versions"`
	Cores    int               `json:"cores"`
	Scale    int               `json:"scale"`
	Repeats  int               `json:"repeats"`
	Servers  []string          `json:"servers"`
	Results  []result          `json:"results"`
	Clients  []result          `json:"clients,omitempty"`
	Curves   []curve           `json:"curves"`
}

type result struct {
	Scenario string              `json:"scenario"`
	Unit     unit                `json:"unit"`
	Runs     map[string][]figure `json:"runs"` // by server, in order
}

func newReport(scale, repeats int) *report {
	first := func(name string, args ...string) string {
		out, _ := exec.Command(name, args...).Output()
		return strings.TrimSpace(string(out))
	}
	v := map[string]string{"go": runtime.Version(), "linux": release(first("uname", "-r")), "cpu": cpuModel()}
	if slices.Contains(servers, "node") {
		v["node"] = first("node", "--version")
		var pkg struct{ Version string }
		b, err := os.ReadFile("node/node_modules/socket.io/package.json")
		if err == nil && json.Unmarshal(b, &pkg) == nil {
			v["socket.io"] = pkg.Version
		}
	}
	return &report{
		Date: time.Now().UTC().Format(time.DateOnly), Command: "go run . " + command(os.Args[1:]),
		Versions: v, Cores: strings.Count(cpuinfo(), "processor\t"), Scale: scale, Repeats: repeats, Servers: servers,
	}
}

// command is a command line without the places where this machine keeps what it
// names: of a path the last part is left.
func command(args []string) string {
	var b strings.Builder
	for i, arg := range args {
		words := strings.Fields(arg)
		for j, w := range words {
			name, path, found := strings.Cut(w, "=")
			if !found {
				name, path = "", w
			} else {
				name += "="
			}
			if strings.Contains(path, "/") {
				words[j] = name + filepath.Base(path)
			}
		}
		arg = strings.Join(words, " ")
		if len(words) != 1 {
			arg = "'" + arg + "'"
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(arg)
	}
	return b.String()
}

func cpuinfo() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	return string(b)
}

// release is the version of a kernel without what its builder calls it.
func release(version string) string {
	version, _, _ = strings.Cut(version, "-")
	return version
}

func cpuModel() string {
	_, rest, _ := strings.Cut(cpuinfo(), "model name\t: ")
	model, _, _ := strings.Cut(rest, "\n")
	return model
}

// titles are the heads of the columns.
var titles = map[string]string{
	"sockeye": "this server", "go client": "the Go client", "node client": "the official client", "epoll": "hard-coded epoll", "reference": "hard-coded net/http", "node": "official server",
}

func title(server string) string {
	if t := titles[server]; t != "" {
		return t
	}
	return server
}

func median(fs []figure, get func(figure) float64) float64 {
	var vs []float64
	for _, f := range fs {
		vs = append(vs, get(f))
	}
	slices.Sort(vs)
	return (vs[(len(vs)-1)/2] + vs[len(vs)/2]) / 2
}

func value(f figure) float64 { return f.Value }

func number(v float64) string {
	if v >= 100 || v <= -100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.1f", v)
}

// setting says where the figures come from.
func (r *report) setting() string {
	node := ""
	if r.Versions["node"] != "" {
		node = fmt.Sprintf(", Node %s with socket.io %s", r.Versions["node"], r.Versions["socket.io"])
	}
	return fmt.Sprintf("%s, %s%s, Linux %s, %d cores (%s). Medians of %d interleaved runs at scale %d; one core for the server, another for the load. `%s` in bench.",
		r.Date, r.Versions["go"], node, r.Versions["linux"], r.Cores, r.Versions["cpu"], r.Repeats, r.Scale, r.Command)
}

// table has a row for each scenario of one unit.
func (r *report) table(u unit, head string) string { return table(r.Results, r.Servers, u, head) }

func table(results []result, columns []string, u unit, head string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %s |", head)
	for _, s := range columns {
		fmt.Fprintf(&b, " %s |", title(s))
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(columns)) + "\n")
	for _, res := range results {
		if res.Unit != u {
			continue
		}
		fmt.Fprintf(&b, "| %s |", res.Scenario)
		for _, s := range columns {
			b.WriteString(" " + cell(res.Runs[s], u) + " |")
		}
		b.WriteString("\n")
	}
	return b.String()
}

func cell(fs []figure, u unit) string {
	if len(fs) == 0 {
		return "–"
	}
	text := number(median(fs, value))
	switch u {
	case latency:
		of := func(get func(figure) float64) string { return number(median(fs, get)) }
		text = fmt.Sprintf("%s (p50 %s; %s/s", text, of(func(f figure) float64 { return f.P50 }), of(func(f figure) float64 { return f.Rate }))
		if late := median(fs, func(f figure) float64 { return f.Late }); late > 0 {
			text += fmt.Sprintf("; load late by %s, %s ms without a core", number(late), of(func(f figure) float64 { return f.Waited }))
		}
		text += ")"
	case bytesOf, clientBytes:
		if c := median(fs, func(f figure) float64 { return f.Collected }); c != 0 {
			text += " (" + number(c) + ")"
		}
	}
	return text
}

func (r *report) tables() string {
	all := r.serverTables()
	if len(r.Clients) > 0 {
		all += "\n" + r.clientTables()
	}
	return all
}

// clientTables are about clients of this server, over WebSocket.
func (r *report) clientTables() string {
	return table(r.Clients, clients, clientCPU, "µs of client CPU for one operation") + "\n" +
		table(r.Clients, clients, clientBytes, "bytes of the client's process memory (PSS); in brackets after a collection of garbage")
}

func (r *report) serverTables() string {
	return strings.Join([]string{
		r.setting() + "\n",
		r.table(cpuTime, "µs of server CPU for one operation"),
		r.table(latency, "µs until the answer, p99 (deliveries a second meanwhile)"),
		r.table(bytesOf, "bytes of process memory (PSS); in brackets after a collection of garbage"),
	}, "\n")
}

// A goal compares this server with a number or with another server.
type goal struct {
	scenario, text string
	most           float64 // of the figure, or of its ratio
	to             string  // the server of the ratio
	toScenario     string  // the scenario of the ratio, where it is another one
	collected      bool
	beside         string // a server whose ratio is told as well
}

var goals = []goal{
	{scenario: "echo with ack, 1 in flight", text: "at most 1.1 times the hard-coded net/http server", most: 1.1, to: "reference"},
	{scenario: "echo with ack, 16 in flight", text: "at most 3 µs", most: 3},
	{scenario: "broadcast to a room of 1,000, per delivery", text: "at most 1.1 times the hard-coded net/http server", most: 1.1, to: "reference"},
	{scenario: "200 rooms of 10, per delivery", text: "at most 1.1 times the hard-coded net/http server", most: 1.1, to: "reference"},
	{scenario: "32 KiB text echo with ack", text: "at most 60 µs", most: 60},
	{scenario: "long-polling echo", text: "at most 1.2 times two bare requests", most: 1.2, to: "reference"},
	{scenario: "echo with ack, 1 in flight, two cores", text: "at most 1.1 times that with one core", most: 1.1, to: "sockeye", toScenario: "echo with ack, 1 in flight", beside: "reference"},
	{scenario: "echo with ack, 1 in flight, two cores", text: "at most 1.1 times that with GOMAXPROCS=1 on the same cores", most: 1.1, to: "sockeye", toScenario: "echo with ack, 1 in flight, two cores, GOMAXPROCS=1", beside: "reference"},
	{scenario: "echo with ack, 1 in flight, two cores", text: "at most 1.1 times the hard-coded net/http server", most: 1.1, to: "reference"},
	{scenario: "200 rooms of 10, two cores", text: "at most 1.1 times that with one core", most: 1.1, to: "sockeye", toScenario: "200 rooms of 10, per delivery", beside: "reference"},
	{scenario: "upgrade and CONNECT", text: "less than socketioxide", most: 1, to: "socketioxide"},
	{scenario: "64 KiB binary echo with ack", text: "less than socketioxide", most: 1, to: "socketioxide"},
	{scenario: "an echo among 10,000 connections while rooms of 100 receive broadcasts", text: "p99 of at most 5,000 µs", most: 5000},
	{scenario: "idle memory per connection", text: "at most 2,000 bytes, after a collection", most: 2000, collected: true},
	{scenario: "idle memory per connection", text: "at most 2,000 bytes, before", most: 2000},
	{scenario: "the same after an echo of each", text: "at most 2,000 bytes, after a collection", most: 2000, collected: true},
	{scenario: "the same after an echo of each", text: "at most 2,000 bytes, before", most: 2000},
	{scenario: "the same by way of a parked goroutine, as under TLS", text: "at most 5,000 bytes, after a collection", most: 5000, collected: true},
	{scenario: "a parked one after an echo of each", text: "at most 5,000 bytes, after a collection", most: 5000, collected: true},
}

func (r *report) figure(scenario, server string, collected bool) float64 {
	for _, res := range r.Results {
		if fs := res.Runs[server]; res.Scenario == scenario && len(fs) > 0 {
			if collected {
				return median(fs, func(f figure) float64 { return f.Collected })
			}
			return median(fs, value)
		}
	}
	return 0
}

func (r *report) goals() string {
	var b strings.Builder
	b.WriteString("| | goal | this run | |\n|---|---|---|---|\n")
	for _, g := range goals {
		v := r.figure(g.scenario, "sockeye", g.collected)
		if v == 0 {
			continue
		}
		text := number(v)
		if g.to != "" {
			other := g.scenario
			if g.toScenario != "" {
				other = g.toScenario
			}
			base := r.figure(other, g.to, false)
			if base == 0 {
				continue
			}
			v /= base
			text = fmt.Sprintf("%.2f times", v)
			if one := r.figure(other, g.beside, false); one != 0 {
				text += fmt.Sprintf(" (%s: %.2f)", title(g.beside), r.figure(g.scenario, g.beside, false)/one)
			}
		}
		met := "met"
		if v > g.most {
			met = "**not met**"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", g.scenario, g.text, text, met)
	}
	return b.String()
}

// save writes the raw figures and the tables of a whole run beside each other.
func (r *report) save(dir string) (string, error) {
	raw, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, r.Date)
	if err := os.WriteFile(name+".md", []byte(r.tables()), 0o644); err != nil {
		return "", err
	}
	return name + ".json", os.WriteFile(name+".json", append(raw, '\n'), 0o644)
}

// publish puts the figures of a saved run into the documents: tables between the
// marks "bench NAME: begin" and "end", and plots beside them.
func publish(file, root string) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if strings.HasPrefix(filepath.Base(file), clusterResults) {
		return publishClusters(b, filepath.Base(file), root)
	}
	var r report
	if err := json.Unmarshal(b, &r); err != nil {
		return err
	}
	// The tables beside the raw figures follow them, should one be told otherwise now.
	if err := os.WriteFile(strings.TrimSuffix(file, ".json")+".md", []byte(r.tables()), 0o644); err != nil {
		return err
	}
	images := filepath.Join(root, "docs", "bench")
	if err := os.MkdirAll(images, 0o755); err != nil {
		return err
	}
	for name, svg := range r.plots() {
		if err := os.WriteFile(filepath.Join(images, name), []byte(svg), 0o644); err != nil {
			return err
		}
	}
	raw := "Raw figures: [" + filepath.Base(file) + "](../bench/results/" + filepath.Base(file) + ").\n"
	docs := map[string]map[string]string{
		"README.md":           {"tables": r.tables()},
		"docs/performance.md": {"tables": r.tables() + "\n" + raw, "goals": r.goals()},
	}
	if len(r.Clients) > 0 {
		docs["docs/go-client.md"] = map[string]string{"clients": r.setting() + "\n\n" + r.clientTables()}
	}
	return insert(root, docs)
}

// insert puts sections between the marks "bench NAME: begin" and "end" of documents.
func insert(root string, docs map[string]map[string]string) error {
	for doc, sections := range docs {
		path := filepath.Join(root, doc)
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text := string(b)
		for name, section := range sections {
			begin, end := "<!-- bench "+name+": begin -->\n", "<!-- bench "+name+": end -->"
			i, j := strings.Index(text, begin), strings.Index(text, end)
			if i < 0 || j < i {
				return fmt.Errorf("%s: no place for %s", doc, name)
			}
			text = text[:i+len(begin)] + section + text[j:]
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}
