package bench

import (
	"fmt"
	"html"
	"html/template"
	"io"
	"strings"
)

// page is a report that needs nothing beside itself.
var page = template.Must(template.New("report").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>sockeye bench: {{.Config.Scenario}}</title>
<style>
:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}
body{max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0}td,th{padding:.2rem .8rem;text-align:right;border-bottom:1px solid #8884}
td:first-child,th:first-child{text-align:left}svg{width:100%;height:auto}.limit{background:#fc03;padding:.5rem 1rem}
</style>
<h1>{{.Config.Scenario}}</h1>
<p>{{.Config.URL}}{{.Config.Namespace}}, {{.Time}}: {{.Clients}} of {{.Config.Clients}} clients, {{.Config.Rate}} operations a second wanted, {{.Config.Size}} bytes, {{printf "%.0f" .Seconds}} s.</p>
{{with .Tool.Limit}}<p class="limit">The tool was the limit, not the server: {{.}}.</p>{{end}}
<table><tr><th>ms<th>mean<th>p50<th>p90<th>p99<th>p99.9<th>max</tr>
{{range .Rows}}<tr><td>{{.Name}}<td>{{printf "%.2f" .Q.Mean}}<td>{{printf "%.2f" .Q.P50}}<td>{{printf "%.2f" .Q.P90}}<td>{{printf "%.2f" .Q.P99}}<td>{{printf "%.2f" .Q.P999}}<td>{{printf "%.2f" .Q.Max}}</tr>
{{end}}</table>
<h2>Latency, ms</h2>{{.LatencyPlot}}
<h2>Operations a second</h2>{{.RatePlot}}
<h2>Clients</h2>{{.ClientPlot}}
{{if .Errors}}<h2>Errors</h2><table>{{range $kind, $n := .Errors}}<tr><td>{{$kind}}<td>{{$n}}</tr>{{end}}</table>{{end}}
{{if .Promises}}<h2>SLO</h2><table>{{range .Promises}}<tr><td>{{.SLO}}<td>{{.Found}}<td>{{if .Kept}}kept{{else}}missed{{end}}</tr>{{end}}</table>{{end}}
</html>
`))

type htmlRow struct {
	Name string
	Q    quantiles
}

func (r *result) writeHTML(w io.Writer) error {
	return page.Execute(w, struct {
		*result
		Rows                              []htmlRow
		LatencyPlot, RatePlot, ClientPlot template.HTML
	}{r,
		[]htmlRow{{"connect", r.Connect}, {r.Config.Scenario, r.Latency}, {"lag of the tool", r.Tool.Lag}},
		plot(r.Series, curve{"p99", "#d9480f", func(p point) float64 { return p.P99 }}, curve{"p50", "#1971c2", func(p point) float64 { return p.P50 }}),
		plot(r.Series, curve{"a second", "#2f9e44", func(p point) float64 { return p.Rate }}),
		plot(r.Series, curve{"clients", "#7048e8", func(p point) float64 { return float64(p.Clients) }}),
	})
}

type curve struct {
	name, colour string
	of           func(point) float64
}

// plot draws curves over time as SVG.
func plot(series []point, curves ...curve) template.HTML {
	const width, height, left, bottom, top = 900.0, 220.0, 60.0, 24.0, 12.0
	end, most := 1e-9, 1e-9
	for _, p := range series {
		end = max(end, p.T)
		for _, c := range curves {
			most = max(most, c.of(p))
		}
	}
	x := func(t float64) float64 { return left + t/end*(width-left-10) }
	y := func(v float64) float64 { return height - bottom - v/most*(height-bottom-top) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %.0f %.0f" role="img" font-size="12" fill="currentColor">`, width, height)
	for i := range 5 {
		v := most * float64(i) / 4
		fmt.Fprintf(&b, `<line x1="%.0f" x2="%.0f" y1="%.1f" y2="%.1f" stroke="currentColor" opacity=".15"/><text x="%.0f" y="%.1f" text-anchor="end">%.4g</text>`,
			left, width-10, y(v), y(v), left-6, y(v)+4, v)
	}
	for i := range 6 {
		t := end * float64(i) / 5
		at, anchor := x(t), "middle"
		if i == 5 { // there is the edge
			at, anchor = at+10, "end"
		}
		fmt.Fprintf(&b, `<text x="%.1f" y="%.0f" text-anchor="%s">%.3g s</text>`, at, height-6, anchor, t)
	}
	for i, c := range curves {
		b.WriteString(`<polyline fill="none" stroke-width="2" stroke="` + c.colour + `" points="`)
		for _, p := range series {
			fmt.Fprintf(&b, "%.1f,%.1f ", x(p.T), y(c.of(p)))
		}
		fmt.Fprintf(&b, `"/><text x="%.0f" y="%.0f" fill="%s">%s</text>`, left+10+70*float64(i), top+4, c.colour, html.EscapeString(c.name))
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) // of numbers and our own names
}
