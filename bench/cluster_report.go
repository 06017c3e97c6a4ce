//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// clusterResults begins the names of the files with what clusters measured.
const clusterResults = "cluster-"

// A clusterReport is what a run of clusters measured.
type clusterReport struct {
	report
	Cells      []clusterCell `json:"cells"`
	Failed     []string      `json:"failed,omitempty"` // cells, and why
	Recoveries []recovered   `json:"recoveries"`
}

func measureClusters(quick bool, only string, progress io.Writer) error {
	matching, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	repeats, ph, sizes, clients := 2, phases{1500 * time.Millisecond, time.Second}, clusterSizes, 1000
	if quick {
		repeats, ph, sizes, clients = 1, phases{200 * time.Millisecond, 100 * time.Millisecond}, []int{2}, 100
	}
	r := clusterReport{report: *newReport(0, repeats)}
	r.Servers = []string{"sockeye", "node"}
	r.Cells, r.Failed = runClusters(repeats, ph, sizes, matching, progress)
	r.Recoveries = runRecoveries(clients, matching, progress)
	fmt.Print(r.tables())
	if quick || only != "" {
		return nil
	}
	raw, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	name := filepath.Join("results", clusterResults+r.Date+".json")
	if err := os.WriteFile(name, append(raw, '\n'), 0o644); err != nil {
		return err
	}
	fmt.Printf("\nsaved; to put it into the documents: go run . -publish %s\n", name)
	return nil
}

var clusterTitles = map[string]string{
	"memory": "one node, without an adapter", "redis": "Redis, classic", "redis-sharded": "Redis, sharded", "redis-interest": "Redis, by interest", "redis-streams": "Redis Streams",
	"nats": "NATS", "nats-jetstream": "NATS, JetStream", "postgres": "PostgreSQL", "postgres-log": "PostgreSQL, log",
}

// of returns the runs of a cell.
func (r *clusterReport) of(server, adapter string, nodes int) []clusterCell {
	var cs []clusterCell
	for _, c := range r.Cells {
		if c.Server == server && c.Adapter == adapter && c.Nodes == nodes {
			cs = append(cs, c)
		}
	}
	return cs
}

func (r *clusterReport) setting() string {
	return fmt.Sprintf("%s, %s, Node %s with socket.io %s, Linux %s, %d cores (%s) for servers, broker and load together. Medians of %d interleaved runs. `%s` in bench.",
		r.Date, r.Versions["go"], r.Versions["node"], r.Versions["socket.io"], r.Versions["linux"], r.Cores, r.Versions["cpu"], r.Repeats, r.Command)
}

// tables have a row for each adapter and kind of server.
func (r *clusterReport) tables() string {
	var b strings.Builder
	b.WriteString(r.setting() + "\n")
	for _, t := range []struct {
		head string
		text func(cs []clusterCell) string
	}{
		{"µs of CPU of all servers for one delivery on another node (of the broker)", func(cs []clusterCell) string {
			return number(middle(cs, func(c clusterCell) float64 { return c.CPU })) + " (" + number(middle(cs, func(c clusterCell) float64 { return c.Broker })) + ")"
		}},
		{"broadcasts a second that reach all other nodes, from one sender", func(cs []clusterCell) string {
			return fmt.Sprintf("%.0f", middle(cs, func(c clusterCell) float64 { return c.Rate }))
		}},
		{"µs until a client on another node has it, beyond what it takes on one node, p50 (p99), at 200 a second", func(cs []clusterCell) string {
			alone := 0.0
			if cs[0].Adapter != "memory" {
				alone = middle(r.of(cs[0].Server, "memory", 1), func(c clusterCell) float64 { return c.P50 })
			}
			return number(middle(cs, func(c clusterCell) float64 { return c.P50 })-alone) + " (" +
				number(middle(cs, func(c clusterCell) float64 { return c.P99 })-alone) + ")"
		}},
	} {
		fmt.Fprintf(&b, "\n| %s |", t.head)
		for _, n := range clusterSizes {
			fmt.Fprintf(&b, " %d nodes |", n)
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", len(clusterSizes)) + "\n")
		for _, a := range clusterAdapters {
			for _, server := range a.servers {
				r.row(&b, server, a.name, t.text)
			}
		}
	}
	for _, a := range clusterAdapters {
		for _, server := range a.servers {
			worst := 0.0
			for _, c := range r.Cells {
				if c.Server == server && c.Adapter == a.name {
					worst = max(worst, c.Disordered)
				}
			}
			if worst > 0 {
				fmt.Fprintf(&b, "\n%s, %s: up to %.1f%% of the messages came out of order.\n", clusterTitles[a.name], title(server), 100*worst)
			}
		}
	}
	for _, failed := range r.Failed {
		fmt.Fprintf(&b, "\nFailed: %s.\n", failed)
	}
	b.WriteString("\n" + r.recoveries())
	return b.String()
}

func (r *clusterReport) row(b *strings.Builder, server, adapter string, text func([]clusterCell) string) {
	var row strings.Builder
	found := false
	for _, n := range clusterSizes {
		if adapter == "memory" {
			n = 1
		}
		cs := r.of(server, adapter, n)
		if len(cs) == 0 {
			row.WriteString(" – |")
			continue
		}
		found = true
		row.WriteString(" " + text(cs) + " |")
	}
	if found {
		fmt.Fprintf(b, "| %s, %s |%s\n", clusterTitles[adapter], title(server), row.String())
	}
}

func middle(cs []clusterCell, get func(clusterCell) float64) float64 {
	if len(cs) == 0 {
		return 0
	}
	fs := make([]figure, len(cs))
	for i, c := range cs {
		fs[i].Value = get(c)
	}
	return median(fs, value)
}

// publishClusters puts the tables of a run into the documents.
func publishClusters(raw []byte, file, root string) error {
	var r clusterReport
	if err := json.Unmarshal(raw, &r); err != nil {
		return err
	}
	return insert(root, map[string]map[string]string{
		"docs/performance.md": {"clusters": r.tables() + "\nRaw figures: [" + file + "](../bench/results/" + file + ").\n"},
	})
}

// makeTable makes what Node's adapter for PostgreSQL wants to be there.
func makeTable(url string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, "CREATE TABLE socket_io_attachments (id bigserial UNIQUE, created_at timestamptz DEFAULT now(), payload bytea)")
	return err
}
