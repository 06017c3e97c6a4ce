import { h, number, bytes, ms, ago, since, table, link, get, post, toast, ask, address } from "./dom.js";
import { overview as charts } from "./charts.js";

// A view is { el, show(state), close() }; show is called with each sample.
const card = (title, ...children) => h("section", { class: "card" }, h("h2", {}, title), ...children);

function tiles(names) {
  const el = h("dl", { class: "tiles" });
  const places = {};
  for (const [key, name] of names) {
    const value = h("dd", {}, "–"), more = h("small", {});
    el.append(places[key] = h("div", { class: "tile card", "data-tile": key }, h("dt", {}, name), value, more));
    places[key].set = (text, small = "", alarm = false) => {
      value.textContent = text;
      more.textContent = more.title = small;
      places[key].classList.toggle("alarm", alarm);
    };
  }
  return [el, places];
}

const eventTable = () => table([
  ["Namespace", (e) => e.namespace, "soft"],
  ["Event", (e) => e.event, "mono"],
  ["In/s", (e) => number(e.in), "n"],
  ["Out/s", (e) => number(e.out), "n"],
  ["In", (e) => number(e.totalIn), "n"],
  ["Out", (e) => number(e.totalOut), "n"],
  ["Handler 50 %", (e) => ms(e.handler50), "n"],
  ["99 %", (e) => ms(e.handler99), "n"],
  ["Answer 50 %", (e) => ms(e.ack50), "n"],
  ["99 %", (e) => ms(e.ack99), "n"],
  ["Failed", (e) => h("span", { class: e.failed ? "bad" : "soft" }, number(e.failed)), "n"],
  ["Unanswered", (e) => h("span", { class: e.unanswered ? "bad" : "soft" }, number(e.unanswered)), "n"],
], { key: (e) => e.namespace + "\n" + e.event, empty: "No event has come or gone since the dashboard was mounted." });

const slowTable = () => table([
  ["Socket", (s) => s.id || "not joined", "mono"],
  ["User", (s) => s.user ?? ""],
  ["Transport", (s) => s.transport],
  ["Waiting", (s) => bytes(s.bytes), "n"],
  ["Packets", (s) => number(s.packets), "n"],
], { href: (s) => s.id && link("socket", { ns: s.namespace, id: s.id }), empty: "Nobody reads too slowly." });

const spaceTable = () => table([
  ["Namespace", (n) => n.name, "mono"],
  ["Sockets", (n) => number(n.sockets), "n"],
  ["Rooms", (n) => number(n.rooms), "n"],
], { href: (n) => link("sockets", { ns: n.name }) });

export function overview() {
  const [tilesEl, t] = tiles([
    ["connections", "Connections"], ["sockets", "Sockets"], ["in", "Packets in"], ["out", "Packets out"],
    ["bytes", "Bytes out"], ["ack", "Answers of clients"], ["handler", "Handlers"], ["slow", "Slow clients"],
    ["each", "Memory a connection"], ["cpu", "Processor"], ["recovered", "Recovered"], ["lost", "Lost"],
  ]);
  const plots = charts();
  const events = eventTable(), slow = slowTable(), spaces = spaceTable();
  const moreSpaces = h("span", { class: "soft" }), looked = h("span", { class: "soft" });
  const el = h("div", { class: "view" }, tilesEl, h("div", { class: "charts" }, plots),
    h("section", { class: "card" }, h("h2", {}, "Events", h("a", { href: "#/events" }, "all")), events),
    h("div", { class: "two" },
      h("section", { class: "card" }, h("h2", {}, "Slow clients ", looked), slow),
      h("section", { class: "card" }, h("h2", {}, "Namespaces ", moreSpaces), spaces)));
  return {
    el,
    show({ history, sample }) {
      for (const p of plots) p.show(history);
      if (!sample) return;
      const p = sample.point;
      t.connections.set(number(p.connections), Object.entries(sample.transports).filter(([, n]) => n).map(([name, n]) => `${number(n)} ${name}`).join(", ") || "none");
      t.sockets.set(number(p.sockets), `${number(sample.allNamespaces)} namespaces`);
      t.in.set(number(p.in), "a second");
      t.out.set(number(p.out), "a second");
      t.bytes.set(bytes(p.bytesOut), `a second; ${bytes(p.bytesIn)} in`);
      t.ack.set(ms(p.ack50), `99 %: ${ms(p.ack99)}`);
      t.handler.set(ms(p.handler50), `99 %: ${ms(p.handler99)}`);
      t.slow.set(number(sample.slow.clients), `${bytes(sample.slow.bytes)} wait`, sample.slow.clients > 0);
      t.each.set(p.connections ? bytes(p.memory / p.connections) : "–", `${bytes(p.memory)} in all`);
      t.cpu.set(`${(p.cpu * 100).toFixed(0)} %`, `of a core; ${number(sample.goroutines)} goroutines`);
      t.recovered.set(number(sample.recovery.Recovered), `${number(sample.recovery.Sessions)} away, ${bytes(sample.recovery.Bytes)} kept`);
      const lost = Object.entries(sample.dropped);
      t.lost.set(number(lost.reduce((sum, [, n]) => sum + n, 0)), lost.map(([why, n]) => `${number(n)} ${why}`).join(", ") || "no message dropped", lost.some(([why]) => why === "slow"));
      events.rows(sample.events.slice(0, 8));
      slow.rows(sample.slow.worst ?? []);
      looked.textContent = sample.slow.t ? `looked ${since(sample.slow.t)} ago` : "";
      spaces.rows(sample.namespaces.slice(0, 10));
      moreSpaces.textContent = sample.allNamespaces > 10 ? `the largest 10 of ${number(sample.allNamespaces)}` : "";
    },
    redraw: () => plots.forEach((p) => p.redraw()),
    close: () => plots.forEach((p) => p.close()),
  };
}

export function events() {
  const all = eventTable();
  return {
    el: h("div", { class: "view" }, h("section", { class: "card" }, h("h2", {}, "Events ", h("span", { class: "soft" }, "those that occur most; percentiles of the last 20 s")), all)),
    show: ({ sample }) => sample && all.rows(sample.events),
  };
}

export function nodes() {
  const t = table([
    ["Node", (n) => n.id, "mono"],
    ["State", (n) => state(n)],
    ["Up", (n) => ago(n.uptime), "n"],
    ["Connections", (n) => number(n.point.connections), "n"],
    ["In/s", (n) => number(n.point.in), "n"],
    ["Out/s", (n) => number(n.point.out), "n"],
    ["Memory", (n) => bytes(n.point.memory), "n"],
    ["Processor", (n) => `${(n.point.cpu * 100).toFixed(0)} %`, "n"],
    ["Handlers 99 %", (n) => ms(n.point.handler99), "n"],
  ], { key: (n) => n.id });
  const others = h("p", { class: "soft" });
  const health = table([["Namespace", (x) => x.namespace, "mono"], ["Trouble", (x) => x.error, "bad"]], { empty: "Every namespace reaches the other nodes." });
  function state(n) {
    if (n.draining) return h("span", { class: "pill wait" }, "draining");
    if (!n.self && Date.now() - n.heard > 5000) return h("span", { class: "pill off" }, `silent for ${since(n.heard)}`);
    if (n.problem) return h("span", { class: "pill off", title: n.problem }, "cut off");
    return h("span", { class: "pill on" }, n.self ? "this node" : "up");
  }
  return {
    el: h("div", { class: "view" }, card("Nodes", t, others), card("Way to the others", health)),
    show({ sample }) {
      if (!sample) return;
      t.rows(sample.nodes);
      health.rows(sample.health ?? []);
      const known = sample.nodes.length, servers = sample.nodes[0].servers ?? 0;
      others.textContent = servers > known ? `The adapter counts ${servers} nodes: ${servers - known} of them have no dashboard, and are not shown.` : "";
    },
  };
}

export function trouble() {
  const lists = [
    ["closed", "Connections that ended", "reason"], ["left", "Sockets that left", "reason"], ["dropped", "Messages that were dropped", "reason"],
    ["limits", "Limits that clients ran into", "option"], ["requests", "Requests that were refused", "code"],
  ].map(([key, title, what]) => [key, card(title, table([[what, ([k]) => k], ["since the start", ([, n]) => number(n), "n"]], { key: ([k]) => k, empty: "none" }))]);
  const facts = h("dl", { class: "facts" });
  return {
    el: h("div", { class: "view" }, h("div", { class: "two" }, card("Recovery and survival", facts), lists.map(([, c]) => c))),
    show({ sample }) {
      if (!sample) return;
      for (const [key, c] of lists) c.lastChild.rows(Object.entries(sample[key] ?? {}).sort((a, b) => b[1] - a[1]));
      const r = sample.recovery;
      facts.replaceChildren(...[["clients that came back", number(r.Recovered)], ["refused", number(r.Refused)], ["away now", number(r.Sessions)],
        ["kept for them", `${number(r.Packets)} packets, ${bytes(r.Bytes)}`], ["sockets refused by middleware", number(sample.refused)], ["panics survived", number(sample.panics)]]
        .flatMap(([k, v]) => [h("dt", {}, k), h("dd", {}, v)]));
    },
  };
}

const socketTable = (empty) => table([
  ["Socket", (s) => s.id, "mono"],
  ["Namespace", (s) => s.namespace, "soft"],
  ["User", (s) => s.user ?? ""],
  ["Address", (s) => s.address ?? "", "mono"],
  ["Transport", (s) => s.transport ?? ""],
  ["Rooms", (s) => number(s.rooms), "n"],
  ["Since", (s) => since(s.since), "n"],
  ["Node", (s) => s.node ?? "", "soft"],
], { href: (s) => link("socket", { ns: s.namespace, id: s.id }), empty });

const roomTable = (empty) => table([
  ["Room", (r) => r.room, "mono"],
  ["Namespace", (r) => r.namespace, "soft"],
  ["Sockets", (r) => number(r.sockets), "n"],
], { href: (r) => link("sockets", { ns: r.namespace, room: r.room }), empty });

// pages are the buttons of a list that comes a page at a time.
function pages(route, query, more) {
  const at = Number(query.offset ?? 0);
  const to = (offset, text) => h("a", { href: link(route, { ...query, offset }) }, text);
  return h("p", { class: "row" }, at > 0 && to(Math.max(0, at - 50), "← back"), more && to(at + 50, "more →"));
}

export function sockets(query, { write }) {
  const t = socketTable("Nobody is here.");
  const title = h("h2", {}, query.room ? `Room ${query.room}` : "Sockets", " ", h("span", { class: "soft" }, `of ${query.ns ?? "/"} on this node`));
  const foot = h("div");
  const el = h("div", { class: "view" }, h("section", { class: "card" }, title, t, foot),
    write && card(query.room ? "To this room" : "To everybody in this namespace", emitter(query.ns ?? "/", query.room ? { to: query.room } : { everybody: true }, query.room)));
  load();
  async function load() {
    try {
      const list = await get("sockets", query);
      t.rows(list.sockets);
      title.lastChild.textContent = `${number(list.total)} of ${query.ns ?? "/"} on this node`;
      foot.replaceChildren(pages("sockets", query, list.more));
    } catch (e) {
      toast(e.message);
    }
  }
  const timer = setInterval(load, 5000);
  return { el, show() {}, close: () => clearInterval(timer) };
}

export function rooms(query) {
  const t = roomTable("There is no such room.");
  const count = h("span", { class: "soft" }), foot = h("div");
  const filter = h("input", { type: "search", placeholder: "Part of a name", "aria-label": "Part of a name", value: query.q ?? "" });
  const form = h("form", { class: "row", onsubmit: (e) => { e.preventDefault(); location.hash = link("rooms", { ...query, q: filter.value, offset: 0 }); } }, filter);
  get("rooms", query).then((list) => {
    t.rows(list.rooms);
    count.textContent = `the largest of ${number(list.total)} on this node`;
    foot.replaceChildren(pages("rooms", query, list.more));
  }, (e) => toast(e.message));
  return { el: h("div", { class: "view" }, h("section", { class: "card" }, h("h2", {}, "Rooms ", count), form, t, foot)), show() {} };
}

export function find(query) {
  const s = socketTable("No socket."), r = roomTable("No room.");
  const said = h("p", { class: "soft", id: "found" }, "Looking…");
  get("find", query).then((f) => {
    s.rows(f.sockets);
    r.rows(f.rooms);
    said.textContent = f.exact ? "Exactly that name." : f.complete ? `Looked at ${number(f.looked)} sockets.` : `Stopped after ${number(f.looked)} sockets: there may be more. Ids, rooms and users of middleware/auth are found at once by their exact name.`;
    if (f.missing) said.textContent += ` Some nodes did not answer: ${f.missing}`;
    if (f.sockets.length === 1 && f.rooms.length === 0 && f.sockets[0].id === query.q) location.replace(link("socket", { ns: f.sockets[0].namespace, id: f.sockets[0].id }));
  }, (e) => (said.textContent = e.message));
  return { el: h("div", { class: "view" }, h("p", {}, "Found for ", h("b", {}, query.q)), said, card("Sockets", s), card("Rooms", r)), show() {} };
}

// emitter is the form by which an event is sent. target says to whom.
function emitter(ns, target, whom) {
  const event = h("input", { name: "event", placeholder: "Event", "aria-label": "Event", required: true, class: "grow", list: "events-known" });
  const args = h("textarea", { rows: 2, placeholder: 'Arguments, as JSON with commas between: "hello", {"n": 1}', "aria-label": "Arguments" });
  const out = h("pre", { hidden: true, "data-answers": "" });
  async function send(name) {
    let values;
    try {
      values = JSON.parse(`[${args.value}]`);
    } catch (e) {
      return toast(`The arguments are not JSON: ${e.message}`);
    }
    if (target.everybody && !(await ask(`Send “${event.value}” to everybody in ${ns}?`, "Send"))) return;
    try {
      const answer = await post(name, { ns, ...target, event: event.value, args: values });
      if (name === "emit") return toast(`“${event.value}” was sent`);
      out.hidden = false;
      out.textContent = [...answer.answers.map((a) => JSON.stringify(a)), answer.error && `— ${answer.error}`, `${ms(answer.took)}`].filter(Boolean).join("\n");
    } catch (e) {
      toast(e.message);
    }
  }
  return h("form", { class: "form", "data-emitter": whom ?? "", onsubmit: (e) => { e.preventDefault(); send(e.submitter?.value ?? "emit"); } },
    h("div", { class: "row" }, event, h("button", { value: "emit" }, "Emit"), h("button", { value: "call", class: "quiet", title: "Emit, and wait for the answer" }, "Call")), args, out);
}

export function socket(query, { write }) {
  const el = h("div", { class: "view" });
  const { ns, id } = query;
  let source, detail;
  const packets = h("div", { id: "packets" });
  const listenButton = h("button", { id: "listen", onclick: () => (source ? stop("stopped") : listen()) }, "Listen");
  const tapState = h("span", { class: "soft", id: "tap-state" });
  const filter = h("input", { type: "search", placeholder: "Filter", "aria-label": "Filter" , oninput: () => { for (const e of packets.children) e.hidden = !e.textContent.includes(filter.value); } });

  function stop(text) {
    source?.close();
    source = undefined;
    listenButton.textContent = "Listen";
    tapState.textContent = text;
  }
  function listen() {
    source = new EventSource(address("tap", { ns, id }));
    listenButton.textContent = "Stop";
    tapState.textContent = "connecting";
    source.addEventListener("tapping", (e) => (tapState.textContent = `listening; ${JSON.parse(e.data).rate} packets a second at most`));
    source.addEventListener("packet", (e) => packet(JSON.parse(e.data)));
    source.addEventListener("left", (e) => stop(`the socket has left: ${JSON.parse(e.data).reason}`));
    source.onerror = () => stop("the server ended this, or refused it");
  }
  function packet(p) {
    if (p.skipped) packets.prepend(h("div", { class: "soft" }, `… ${p.skipped} more`));
    const row = h("div", { class: p.out ? "out" : "in", tabindex: 0 },
      h("span", { class: "soft" }, new Date(p.t).toISOString().slice(11, 23)), h("b", { title: p.out ? "to the client" : "from the client" }, p.out ? "→" : "←"),
      h("span", {}, p.event ?? p.type.toLowerCase(), p.id !== undefined && h("span", { class: "soft" }, ` #${p.id}`)),
      h("span", { class: "args" }, p.args ?? ""), h("span", { class: "soft size" }, bytes(p.bytes)));
    row.hidden = !row.textContent.includes(filter.value);
    packets.prepend(row);
    while (packets.children.length > 300) packets.lastChild.remove();
  }
  async function act(name, body, text) {
    try {
      await post(name, { ns, to: id, ...body });
      toast(text);
      await load();
    } catch (e) {
      toast(e.message);
    }
  }
  const facts = h("dl", { class: "facts", id: "facts" }), chips = h("div", { class: "chips", id: "rooms" });
  const handshake = h("pre", { id: "handshake" }), data = h("pre", { id: "data" });
  const room = h("input", { placeholder: "Room", "aria-label": "Room", required: true });
  const join = write && h("form", { class: "row", onsubmit: (e) => { e.preventDefault(); act("join", { room: room.value }, `joined ${room.value}`); room.value = ""; } }, room, h("button", { class: "quiet" }, "Join"));
  const end = write && h("button", { class: "danger", id: "disconnect", onclick: async () => {
    if (await ask(`Disconnect ${id}? Its client does not come back by itself.`, "Disconnect")) await act("disconnect", {}, "disconnected");
  } }, "Disconnect");

  async function load() {
    try {
      detail = await get("socket", { ns, id });
    } catch (e) {
      tapState.textContent ||= e.message;
      facts.replaceChildren(h("dt", {}, "state"), h("dd", { class: "bad" }, e.message));
      return;
    }
    facts.replaceChildren(...[
      ["id", detail.id], ["namespace", detail.namespace], ["user", detail.user], ["address", detail.address], ["transport", detail.transport],
      ["connected for", since(detail.since)], ["connection", detail.connection], ["waiting for it", `${bytes(detail.buffered)}, ${detail.packets} packets`], ["recovered", detail.recovered && "yes"], ["node", detail.node],
    ].filter(([, v]) => v).flatMap(([k, v]) => [h("dt", {}, k), h("dd", { class: k === "id" ? "mono" : "" }, v)]));
    chips.replaceChildren(...detail.roomNames.map((r) => h("span", { class: "chip" }, h("a", { href: link("sockets", { ns, room: r }) }, r),
      write && h("button", { class: "tiny", title: `Leave ${r}`, "aria-label": `Leave ${r}`, onclick: () => act("leave", { room: r }, `left ${r}`) }, "×"))));
    if (!detail.roomNames.length) chips.append(h("span", { class: "soft" }, "in no room but its own"));
    if (detail.rooms > detail.roomNames.length) chips.append(h("span", { class: "soft" }, `and ${detail.rooms - detail.roomNames.length} more`));
    handshake.textContent = JSON.stringify(detail.handshake, null, 2);
    data.textContent = JSON.stringify(detail.data, null, 2);
  }
  el.append(
    h("div", { class: "two" },
      h("section", { class: "card" }, h("h2", {}, "Socket"), facts, end && h("p", { class: "row" }, end)),
      h("section", { class: "card" }, h("h2", {}, "Rooms"), chips, join)),
    h("section", { class: "card" }, h("h2", {}, "Packets ", tapState), h("div", { class: "row" }, listenButton, filter), packets),
    ...(write ? [card("To this socket", emitter(ns, { to: id }, id))] : []),
    h("div", { class: "two" }, card("Handshake, without secrets", handshake), card("Data", data)));
  load();
  const timer = setInterval(load, 5000);
  return {
    el, show() {},
    keys: { l: () => listenButton.click() },
    close: () => { clearInterval(timer); source?.close(); },
  };
}
