//go:build linux

package main

import (
	"fmt"
	"math"
	"strings"
)

// colours are by the place of a server among those of the report.
var colours = []string{"#d9480f", "#868e96", "#343a40", "#2b8a3e", "#1864ab", "#862e9c"}

func colour(i int) string { return colours[i%len(colours)] }

// A drawing is an SVG in the making, on white, so that it can be read on any page.
type drawing struct {
	strings.Builder
	w, h int
}

func (d *drawing) text(x, y float64, anchor, s string) {
	fmt.Fprintf(d, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, escape(s))
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

func (d *drawing) svg() string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12" fill="#212529">
<rect width="100%%" height="100%%" fill="#fff"/>
%s</svg>
`, d.w, d.h, d.String())
}

// legend names the servers in one line.
func (d *drawing) legend(servers []string, x, y float64) {
	for i, s := range servers {
		fmt.Fprintf(d, `<rect x="%.1f" y="%.1f" width="10" height="10" fill="%s"/>`+"\n", x, y-9, colour(i))
		d.text(x+14, y, "start", title(s))
		x += 24 + 6.6*float64(len([]rune(title(s))))
	}
}

// plots returns SVGs by file name.
func (r *report) plots() map[string]string {
	plots := map[string]string{
		"cpu.svg":    r.bars(cpuTime, "Server CPU for one operation, µs"),
		"memory.svg": r.bars(bytesOf, "Process memory, bytes per connection"),
	}
	for i, name := range []string{"connections.svg", "memory-curve.svg", "rooms.svg"} {
		if i < len(r.Curves) {
			plots[name] = r.Curves[i].lines(r.Servers)
		}
	}
	return plots
}

// bars draws a group of bars for each scenario, each group in a scale of its own:
// what counts is how the servers compare.
func (r *report) bars(u unit, heading string) string {
	const bar, gap, left, width = 12, 26, 14, 560
	d := &drawing{w: width + 160}
	y := 22.0
	d.text(left, y, "start", heading)
	y += 22
	d.legend(r.Servers, left, y)
	y += 14
	for _, res := range r.Results {
		if res.Unit != u {
			continue
		}
		most := 0.0
		for _, s := range r.Servers {
			if fs := res.Runs[s]; len(fs) > 0 {
				most = max(most, median(fs, value))
			}
		}
		y += gap - bar/2
		d.text(left, y-4, "start", res.Scenario)
		for i, s := range r.Servers {
			fs := res.Runs[s]
			if len(fs) == 0 {
				continue
			}
			v := max(median(fs, value), 0)
			fmt.Fprintf(d, `<rect x="%d" y="%.1f" width="%.1f" height="%d" fill="%s"/>`+"\n", left, y, max(width*v/most, 1), bar-2, colour(i))
			d.text(left+max(width*v/most, 1)+6, y+bar-3, "start", number(v))
			y += bar
		}
		y += bar / 2
	}
	d.h = int(y) + 12
	return d.svg()
}

// lines draws a curve of each server, both axes logarithmic.
func (c *curve) lines(servers []string) string {
	const left, top, width, height = 60, 60, 560, 260
	d := &drawing{w: left + width + 30, h: top + height + 50}
	lowX, highX, lowY, highY := math.Inf(1), 1.0, math.Inf(1), 1.0
	for _, points := range c.Points {
		for _, p := range points {
			v := max(p.Value, 0.1)
			lowX, highX = min(lowX, float64(p.At)), max(highX, float64(p.At))
			lowY, highY = min(lowY, v), max(highY, v)
		}
	}
	lowY, highY = decade(lowY, math.Floor), decade(highY, math.Ceil)
	x := func(v float64) float64 {
		if highX == lowX {
			return left
		}
		return left + width*math.Log(v/lowX)/math.Log(highX/lowX)
	}
	y := func(v float64) float64 { return top + height - height*math.Log(max(v, 0.1)/lowY)/math.Log(highY/lowY) }
	d.text(left, 22, "start", strings.ToUpper(c.Name[:1])+c.Name[1:]+", "+string(c.Unit))
	d.legend(servers, left, 42)
	for v := lowY; v <= highY*1.01; v *= 10 {
		fmt.Fprintf(d, `<line x1="%d" y1="%.1f" x2="%d" y2="%.1f" stroke="#dee2e6"/>`+"\n", left, y(v), left+width, y(v))
		d.text(left-6, y(v)+4, "end", number(v))
	}
	for v := decade(lowX, math.Ceil); v <= highX; v *= 10 {
		fmt.Fprintf(d, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#dee2e6"/>`+"\n", x(v), top, x(v), top+height)
		d.text(x(v), top+height+18, "middle", fmt.Sprintf("%.0f", v))
	}
	d.text(left+width/2, top+height+38, "middle", c.Over)
	for i, s := range servers {
		var path []string
		for _, p := range c.Points[s] {
			px, py := x(float64(p.At)), y(p.Value)
			path = append(path, fmt.Sprintf("%.1f,%.1f", px, py))
			fmt.Fprintf(d, `<circle cx="%.1f" cy="%.1f" r="3" fill="%s"/>`+"\n", px, py, colour(i))
		}
		if len(path) > 1 {
			fmt.Fprintf(d, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2"/>`+"\n", strings.Join(path, " "), colour(i))
		}
	}
	return d.svg()
}

func decade(v float64, round func(float64) float64) float64 {
	return math.Pow(10, round(math.Log10(v)))
}
