// What a scenario is given, and how it is run.
import { findsStatus as ours, Manager, msgpack, webtransport } from "./client.mjs";
import { Fixture } from "./fixture.mjs";
import { Proxy } from "./proxy.mjs";
import { Manager as Manager2 } from "./revision3.mjs";
import { event, within } from "./wait.mjs";

export const transports = ["websocket", "polling", "upgrade"];

// With MessagePack a scenario runs over one connection only, as the parser does
// not know of transports.
const msgpackTransports = ["websocket", "polling", "webtransport"];

// Scenarios run over these too, where they run over what is named first: WebTransport
// if there is a bridge to it and the server has it, JSONP with the client that has it.
const besides = { webtransport: "websocket", "upgrade-webtransport": "upgrade" };
let quic = false;
/** useWebTransport has scenarios run over it. */
export const useWebTransport = () => (quic = true);

// What a scenario runs over: its transports; the same with the other parser;
// and with the client of Socket.IO 2, unless it is about something (modern) that
// that one does not have. Scenarios that are old are about that client alone, and
// do not run with ours.
// Those that are about connections of TCP say so (tcp), and those about requests that
// no script makes (xhr).
export function waysOf({ over = transports, oldOver = over, parsers = ["json", "msgpack"], modern, old, tcp, xhr }) {
  const ways = [];
  if (quic && !old && !tcp) over = [...over, ...Object.keys(besides).filter((t) => over.includes(besides[t]))];
  if (!modern && !xhr && oldOver.includes("polling")) oldOver = [...oldOver, "jsonp"];
  if (ours && old) return ways;
  if (ours) modern = true;
  if (!old && parsers.includes("json")) for (const transport of over) ways.push({ transport, parser: "json" });
  if (!old && parsers.includes("msgpack")) {
    for (const transport of over) if (msgpackTransports.includes(transport)) ways.push({ transport, parser: "msgpack" });
  }
  if (!modern && parsers.includes("json")) for (const transport of oldOver) ways.push({ transport, parser: "json", old: true });
  return ways;
}

// The clients' names for what a scenario calls its transport.
const names = {
  websocket: ["websocket"],
  polling: ["polling"],
  upgrade: ["polling", "websocket"],
  webtransport: ["webtransport"],
  "upgrade-webtransport": ["polling", "webtransport"],
  jsonp: ["polling"],
};

// A shared server lives as long as the run; scenarios that need the same
// options have the same one.
export class Servers {
  #kind;
  #shared = new Map();
  #all = new Set();

  constructor(kind) {
    this.#kind = kind;
  }

  shared(options) {
    const key = JSON.stringify(options);
    if (!this.#shared.has(key)) this.#shared.set(key, this.own(options));
    return this.#shared.get(key);
  }

  async own(options) {
    const f = await Fixture.start(this.#kind, options);
    this.#all.add(f);
    return f;
  }

  async close() {
    for (const f of this.#all) await f.kill();
  }
}

class Context {
  #servers;
  #managers = [];
  #deferred = [];

  constructor(servers, way, server) {
    this.#servers = servers;
    this.way = way;
    this.old = !!way.old; // the client is that of Socket.IO 2
    this.parser = way.parser;
    this.transport = way.transport === "jsonp" ? "polling" : way.transport;
    this.jsonp = way.transport === "jsonp";
    this.last = names[way.transport].at(-1); // where the connection ends up
    this.server = server;
  }

  defer(f) {
    this.#deferred.push(f);
  }

  async start(options) {
    const f = await this.#servers.own(optionsFor(this.way, options));
    this.defer(() => f.kill());
    return f;
  }

  async proxy(server = this.server) {
    const p = await Proxy.start(server.port);
    this.defer(() => p.close());
    return p;
  }

  // manager is a connection of the client, over the transport that
  // the scenario runs on. It does not reconnect unless asked to.
  manager({ url = this.server.url, ...options } = {}) {
    const m = new (this.old ? Manager2 : Manager)(url, {
      transports: names[this.transport].map((name) => (name === "webtransport" ? webtransport : name)),
      reconnection: false,
      reconnectionDelay: 50,
      reconnectionDelayMax: 200,
      ...(this.jsonp && { forceJSONP: true }),
      ...(this.parser === "msgpack" ? { parser: msgpack } : {}),
      ...options,
    });
    this.#managers.push(m);
    return m;
  }

  // socket is one that has not connected yet; connect waits until it has.
  socket({ nsp = "/", manager, auth, retries, ackTimeout, ...options } = {}) {
    return (manager ?? this.manager(options)).socket(nsp, { auth, retries, ackTimeout });
  }

  async connect(options = {}) {
    const s = this.socket(options);
    await within(
      10_000,
      `a socket of ${options.nsp ?? "/"} to connect`,
      new Promise((resolve, reject) => {
        s.once("connect", resolve);
        s.once("connect_error", (err) => reject(new Error(`connect_error: ${err.message} ${err.description?.message ?? err.description ?? ""}`)));
      }),
    );
    return s;
  }

  // settled is connect, and then the upgrade if there is going to be one.
  async settled(options) {
    const s = await this.connect(options);
    if (s.io.engine.transport.name !== this.last) await event(s.io.engine, "upgrade");
    return s;
  }

  async close() {
    for (const m of this.#managers) {
      m.reconnection(false);
      for (const s of Object.values(m.nsps)) s.disconnect();
      m.engine?.close();
    }
    for (const f of this.#deferred.reverse()) await f();
  }
}

// label is what a run is called.
export const label = ({ transport, parser, old }) => (old ? "eio3-" : "") + transport + (parser === "json" ? "" : ` ${parser}`);

const optionsFor = ({ transport, parser, old }, options = {}) => ({
  ...options,
  ...(transport in besides && { transports: ["polling", "websocket", "webtransport"] }),
  ...(parser !== "json" && { parser }),
  ...(old && { allowEIO3: true }),
});

// runOne runs a scenario over a transport and resolves with its result.
export async function runOne(servers, scenario, way) {
  const began = performance.now();
  const result = { scenario: scenario.name, transport: label(way), ok: true };
  let t;
  try {
    const options = optionsFor(way, scenario.options);
    const server = scenario.own ? await servers.own(options) : await servers.shared(options);
    t = new Context(servers, way, server);
    if (scenario.own) t.defer(() => server.kill());
    await within(scenario.timeout ?? 45_000, "the scenario to end", scenario.run(t));
  } catch (err) {
    result.ok = false;
    result.error = err.stack ?? String(err);
    if (t?.server.stderr) result.stderr = t.server.stderr.slice(-4000);
  } finally {
    await t?.close();
  }
  result.ms = Math.round(performance.now() - began);
  return result;
}
