package top

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// views are what the list can show, in the order of the Tab key.
var views = []string{"sockets", "rooms", "events", "namespaces", "servers"}

// A table is a list with a title for each column. Cells are as the server said
// them.
type table struct {
	titles []string
	widths []int // the least; the last column takes what is left
	rows   [][]string
}

// table makes the rows of a view: those with filter in them, sorted by a column.
func (s *state) table(view, filter string, sortBy int, now time.Time) table {
	var t table
	var order [][]float64 // by number, where a column is one: larger first
	add := func(numbers []float64, cells ...string) {
		if filter == "" || strings.Contains(strings.ToLower(strings.Join(cells, " ")), strings.ToLower(filter)) {
			t.rows = append(t.rows, cells)
			order = append(order, numbers)
		}
	}
	const text = -1 // in place of a number: sorted by its words
	switch view {
	case "sockets":
		t.titles, t.widths = []string{"IN", "OUT", "ROOMS", "TRANSPORT", "NAMESPACE", "ADDRESS", "ID"}, []int{7, 7, 5, 12, 14, 18, 20}
		for _, id := range slices.Sorted(maps.Keys(s.sockets)) {
			o := s.sockets[id]
			rooms := 0
			for _, r := range o.Rooms {
				if r != o.ID {
					rooms++
				}
			}
			add([]float64{float64(o.in), float64(o.out), float64(rooms), text, text, text, text},
				fmt.Sprint(o.in), fmt.Sprint(o.out), fmt.Sprint(rooms), o.Transport, o.Namespace, o.Handshake.Address, o.ID)
		}
	case "rooms":
		t.titles, t.widths = []string{"SOCKETS", "NAMESPACE", "ROOM"}, []int{8, 20, 20}
		for _, r := range s.rooms() {
			add([]float64{float64(r.sockets), text, text}, fmt.Sprint(r.sockets), r.namespace, r.name)
		}
	case "events":
		t.titles, t.widths = []string{"PER S", "IN", "OUT", "NAMESPACE", "EVENT"}, []int{8, 9, 9, 20, 20}
		for _, k := range slices.Sorted(maps.Keys(s.events)) {
			e := s.events[k]
			add([]float64{e.rate, float64(e.in), float64(e.out), text, text},
				fmt.Sprintf("%.1f", e.rate), fmt.Sprint(e.in), fmt.Sprint(e.out), e.namespace, e.name)
		}
	case "namespaces":
		t.titles, t.widths = []string{"SOCKETS", "NAMESPACE"}, []int{8, 20}
		all := s.namespaces()
		for _, n := range slices.Sorted(maps.Keys(all)) {
			add([]float64{float64(all[n]), text}, fmt.Sprint(all[n]), n)
		}
	case "servers":
		t.titles, t.widths = []string{"CLIENTS", "POLLING", "UPTIME", "SEEN", "PID", "SERVER"}, []int{8, 8, 12, 6, 8, 20}
		for _, id := range slices.Sorted(maps.Keys(s.servers)) {
			v := s.servers[id]
			up := (time.Duration(v.Uptime) * time.Second).String()
			add([]float64{float64(v.Clients), float64(v.PollingClients), v.Uptime, text, float64(v.PID), text},
				fmt.Sprint(v.Clients), fmt.Sprint(v.PollingClients), up, now.Sub(v.seen).Round(time.Second).String(), fmt.Sprint(v.PID), id)
		}
	}
	sortBy %= len(t.titles)
	index := make([]int, len(t.rows))
	for i := range index {
		index[i] = i
	}
	slices.SortStableFunc(index, func(a, b int) int {
		return cmp.Or(cmp.Compare(order[b][sortBy], order[a][sortBy]), textOrder(order[a][sortBy], t.rows[a][sortBy], t.rows[b][sortBy]))
	})
	sorted := make([][]string, len(index))
	for i, from := range index {
		sorted[i] = t.rows[from]
	}
	t.rows = sorted
	return t
}

func textOrder(number float64, a, b string) int {
	if number >= 0 {
		return 0
	}
	return strings.Compare(a, b)
}
