package top

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/bench"
	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

// Messages of the program.
type (
	told struct { // the server said something
		event string
		args  []json.RawMessage
	}
	link struct { // the connection changed
		up   bool
		says string
	}
	ticked time.Time
)

// A screen is what is shown, and what the keys have made of it.
type screen struct {
	state         *state
	style         cli.Style
	place         string
	up            bool
	says          string
	width, height int

	view      int
	sortBy    int
	first     int // row at the top
	filter    string
	filtering bool
	paused    bool
	now       time.Time
}

const refresh = time.Second

func tick() tea.Cmd { return tea.Tick(refresh, func(t time.Time) tea.Msg { return ticked(t) }) }

// Init implements tea.Model.
func (s *screen) Init() tea.Cmd { return tick() }

// Update implements tea.Model.
func (s *screen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		s.width, s.height = msg.Width, msg.Height
	case told:
		if !s.paused {
			s.state.apply(msg.event, msg.args, time.Now())
		}
	case link:
		s.up, s.says = msg.up, msg.says
	case ticked:
		s.now = time.Time(msg)
		s.state.tick(refresh)
		return s, tick()
	case tea.KeyPressMsg:
		return s.key(msg)
	}
	return s, nil
}

func (s *screen) key(k tea.KeyPressMsg) (tea.Model, tea.Cmd) {
	if k.String() == "ctrl+c" {
		return s, tea.Quit
	}
	if s.filtering {
		switch k.String() {
		case "enter":
			s.filtering = false
		case "esc":
			s.filtering, s.filter = false, ""
		case "backspace":
			if r := []rune(s.filter); len(r) > 0 {
				s.filter = string(r[:len(r)-1])
			}
		default:
			if len(s.filter) < 100 {
				s.filter += k.Key().Text
			}
		}
		s.first = 0
		return s, nil
	}
	page := max(s.height-headLines-2, 1)
	switch k.String() {
	case "q", "esc":
		return s, tea.Quit
	case "tab", "right":
		s.view, s.sortBy, s.first = (s.view+1)%len(views), 0, 0
	case "shift+tab", "left":
		s.view, s.sortBy, s.first = (s.view+len(views)-1)%len(views), 0, 0
	case "1", "2", "3", "4", "5":
		s.view, s.sortBy, s.first = int(k.String()[0]-'1'), 0, 0
	case "s":
		s.sortBy++
		s.first = 0
	case "/":
		s.filtering, s.filter = true, ""
	case "p", "space":
		s.paused = !s.paused
	case "down", "j":
		s.first++
	case "up", "k":
		s.first--
	case "pgdown":
		s.first += page
	case "pgup":
		s.first -= page
	case "home", "g":
		s.first = 0
	}
	s.first = max(s.first, 0)
	return s, nil
}

// headLines are the lines above the list.
const headLines = 6

// View implements tea.Model.
func (s *screen) View() tea.View {
	v := tea.NewView(s.text())
	v.AltScreen = true
	v.WindowTitle = "sockeye top " + s.place
	return v
}

func (s *screen) text() string {
	if s.width == 0 {
		return ""
	}
	st := s.style
	mark := st.Red("○ " + s.says)
	if s.up {
		mark = st.Green("● " + s.says)
	}
	if s.paused {
		mark += st.Yellow("  paused")
	}
	lines := []string{st.Bold("sockeye top ") + cli.Printable(s.place) + "  " + mark}
	curveLine := func(name string, c curve) string {
		last := 0.0
		if len(c) > 0 {
			last = c[len(c)-1]
		}
		room := max(s.width-28, 0)
		shown := c[max(len(c)-room, 0):]
		return fmt.Sprintf("%-12s %10.1f  ", name, last) + st.Cyan(bench.Sparkline(shown))
	}
	lines = append(lines, curveLine("clients", s.state.conns), curveLine("events/s", s.state.rates))
	detail := st.Dim(counted(len(s.state.sockets), "socket") + ", " + counted(len(s.state.rooms()), "room") + ", " + counted(len(s.state.servers), "server"))
	if s.up && !s.state.details {
		detail = st.Yellow("the server sends sums only: namespaces and servers have them, the other lists are empty or old")
	}
	if s.state.dropped {
		detail += st.Yellow("  (more than is kept)")
	}
	lines = append(lines, detail, s.tabs())
	lines = append(lines, s.list(s.height-headLines-1)...)
	foot := st.Dim("Tab list  s sort  / filter  p pause  ↑↓ scroll  q quit")
	if s.filtering {
		foot = "filter: " + cli.Printable(s.filter) + "█  " + st.Dim("Enter keeps it, Esc drops it")
	} else if s.filter != "" {
		foot = "filter: " + cli.Printable(s.filter) + "  " + foot
	}
	for len(lines) < s.height-1 {
		lines = append(lines, "")
	}
	lines = append(lines[:max(s.height-1, 0)], foot)
	for i := range lines {
		lines[i] = ansi.Truncate(lines[i], s.width, "…")
	}
	return strings.Join(lines, "\n")
}

func (s *screen) tabs() string {
	parts := make([]string, len(views))
	for i, v := range views {
		parts[i] = s.style.Dim(fmt.Sprintf(" %d %s ", i+1, v))
		if i == s.view {
			parts[i] = s.style.Bold(fmt.Sprintf("[%d %s]", i+1, v))
		}
	}
	return strings.Join(parts, " ")
}

// list shows the rows that fit into room.
func (s *screen) list(room int) []string {
	t := s.state.table(views[s.view], s.filter, s.sortBy, s.now)
	titles := make([]string, len(t.titles))
	for i, title := range t.titles {
		if i == s.sortBy%len(t.titles) {
			title += "▾"
		}
		titles[i] = cell(title, t.widths[i])
	}
	lines := []string{s.style.Bold(strings.Join(titles, " "))}
	s.first = max(min(s.first, len(t.rows)-room), 0)
	for _, row := range t.rows[min(s.first, len(t.rows)):min(s.first+max(room, 0), len(t.rows))] {
		cells := make([]string, len(row))
		for i, text := range row {
			cells[i] = cell(cli.Printable(text), t.widths[i])
			if i == len(row)-1 {
				cells[i] = cli.Printable(text)
			}
		}
		lines = append(lines, strings.Join(cells, " "))
	}
	return lines
}

// cell cuts or fills a text to a width.
func cell(text string, width int) string {
	text = ansi.Truncate(text, width, "…")
	return text + strings.Repeat(" ", max(width-ansi.StringWidth(text), 0))
}

func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
