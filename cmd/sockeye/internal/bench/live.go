package bench

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/sockeye-go/socketio/cmd/sockeye/internal/cli"
)

// A display shows a run while it goes on: a bar and two curves, drawn over
// themselves.
type display struct {
	out   io.Writer
	style cli.Style
	total time.Duration
	lines int // that were drawn
	rates []float64
	p99s  []float64
}

const barWidth, curveWidth = 40, 60

func (d *display) show(t *tally, p point) {
	d.rates, d.p99s = keep(d.rates, p.Rate), keep(d.p99s, p.P99)
	var failed int64
	for _, n := range t.errors() {
		failed += n
	}
	part := min(p.T/d.total.Seconds(), 1)
	filled := int(part * barWidth)
	s := d.style
	p99 := fmt.Sprintf("%6.1f ms", p.P99)
	if p.Rate == 0 {
		p99 = fmt.Sprintf("%6s   ", "–") // nothing was answered, which is not quick
	}
	lines := []string{
		fmt.Sprintf("%s%s %3.0f%%  %d clients", s.Green(strings.Repeat("█", filled)), s.Dim(strings.Repeat("░", barWidth-filled)), 100*part, p.Clients),
		fmt.Sprintf("%9.0f /s  %s", p.Rate, s.Cyan(Sparkline(d.rates))),
		fmt.Sprintf("p99 %s %s", p99, s.Yellow(Sparkline(d.p99s))),
	}
	if failed > 0 {
		lines = append(lines, s.Red(fmt.Sprintf("%d errors", failed)))
	}
	d.draw(lines)
}

func (d *display) draw(lines []string) {
	var b strings.Builder
	if d.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", d.lines)
	}
	b.WriteString("\r\x1b[J")
	for _, l := range lines {
		b.WriteString(l + "\n")
	}
	d.lines = len(lines)
	_, _ = io.WriteString(d.out, b.String())
}

func keep(list []float64, v float64) []float64 {
	list = append(list, v)
	return list[max(len(list)-curveWidth, 0):]
}

var blocks = []rune("▁▂▃▄▅▆▇█")

// Sparkline draws values as a line of blocks, from zero to the largest.
func Sparkline(values []float64) string {
	top := 0.0
	for _, v := range values {
		top = max(top, v)
	}
	line := make([]rune, len(values))
	for i, v := range values {
		line[i] = blocks[0]
		if top > 0 && v > 0 {
			line[i] = blocks[min(int(v/top*float64(len(blocks)-1)+0.5), len(blocks)-1)]
		}
	}
	return string(line)
}
