import { h, number, bytes, ms } from "./dom.js";

// How far back the charts reach, in seconds.
export const span = 900;

const probe = document.body.appendChild(h("span", { hidden: true }));

// colour resolves a variable of the style sheet, for a canvas.
function colour(name) {
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

const clock = (t) => new Date(t * 1000).toLocaleTimeString("en-GB");

// A chart shows some columns of the history. lines are [column, label, colour].
export function chart(title, lines, format) {
  const place = h("div", { class: "chart" });
  const el = h("section", { class: "card", "data-chart": lines[0][0] }, h("h2", {}, title), place);
  let plot, data;

  function make() {
    plot?.destroy();
    const width = place.clientWidth;
    if (!width) return;
    const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 }, font: "11px system-ui" };
    plot = new uPlot({
      width, height: place.clientHeight - 28,
      cursor: { sync: { key: "sockeye" }, points: { size: 6 }, drag: { x: false, y: false } },
      legend: { live: true },
      scales: { x: { time: true }, y: { range: (u, low, high) => [0, high > 0 ? high * 1.1 : 1] } },
      axes: [{ ...axis, space: 70, size: 30, values: (u, ticks, i, space, step) => ticks.map((t) => clock(t).slice(0, step < 60 ? 8 : 5)) }, { ...axis, size: 66, values: (u, ticks) => ticks.map((v) => (v ? format(v) : "0")) }],
      series: [{ label: "time", value: (u, t) => (t ? clock(t) : "–") }, ...lines.map(([, label, c], i) => ({
        label, stroke: colour(c), width: 1.5, points: { show: false }, spanGaps: false,
        fill: i === 0 && lines.length < 3 ? colour(c).replace(/rgb\((.*)\)/, "rgba($1, .1)") : undefined,
        value: (u, v) => (v === null || v === undefined ? "–" : format(v)),
      }))],
    }, data ?? [[], ...lines.map(() => [])], place);
  }

  el.show = (points) => {
    data = [points.map((p) => p.t / 1000), ...lines.map(([column]) => points.map((p) => (p[column] === 0 && column.match(/ack|handler/) ? null : p[column])))];
    if (!plot) make();
    else plot.setData(data);
  };
  const size = new ResizeObserver(() => {
    if (plot && place.clientWidth) plot.setSize({ width: place.clientWidth, height: place.clientHeight - 28 });
    else make();
  });
  size.observe(place);
  el.redraw = make;
  el.close = () => {
    size.disconnect();
    plot?.destroy();
  };
  return el;
}

export const overview = () => [
  chart("Connections", [["connections", "connections", "--a"], ["sockets", "sockets", "--b"]], number),
  chart("Packets a second", [["in", "in", "--b"], ["out", "out", "--a"]], number),
  chart("Bytes a second", [["bytesIn", "in", "--b"], ["bytesOut", "out", "--a"]], bytes),
  chart("Answers of clients", [["ack50", "50 %", "--b"], ["ack95", "95 %", "--c"], ["ack99", "99 %", "--a"]], ms),
  chart("Handlers", [["handler50", "50 %", "--b"], ["handler99", "99 %", "--a"]], ms),
  chart("Memory", [["memory", "heap and stacks", "--c"]], bytes),
];
