// The client as the other end of testdata/vectors/sessions.json: a scripted
// server says what the official one said, the application does what makes the
// client say its part, and both what goes over the wire and what the application
// hears have to be the transcript's.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import WebSocket, { WebSocketServer } from "ws";

globalThis.WebSocket ??= WebSocket; // Node 20 has none
const { Manager } = await import("../dist/socket.io.esm.min.js");

const { sessions } = JSON.parse(readFileSync(new URL("../../testdata/vectors/sessions.json", import.meta.url)));

// What these clients say no application can make ours say: it sends no nonsense,
// and hangs up when the only namespace refuses it, as the official one does.
const impossible = new Set([
  "websocket: a namespace refuses with data, then accepts",
  "websocket: a namespace that does not exist",
  "websocket: a packet that cannot be decoded ends the connection",
  "websocket: a reserved event ends the connection",
  "websocket: text in place of an attachment ends the connection",
  "websocket: an attachment that is not due ends the connection",
  "websocket: an event for a namespace that was not joined ends the connection",
]);

// The head of a Socket.IO packet in an Engine.IO message.
const head = /^4([0-6])(?:(\d+)-)?(?:(\/[^,]*),)?(\d+)?(.*)$/s;

function parse(steps, i) {
  const m = head.exec(steps[i].text ?? "");
  if (!m) return undefined;
  const [, type, count, nsp = "/", id, json] = m;
  const bytes = steps.slice(i + 1, i + 1 + Number(count ?? 0)).map((s) => Buffer.from(s.binary, "base64"));
  const data = json ? JSON.parse(json, (_, v) => (v?._placeholder ? bytes[v.num] : v)) : undefined;
  return { type: Number(type), nsp, id, data };
}

function withID(text, id) {
  const [, type, count, nsp, , json] = head.exec(text);
  return `4${type}${count === undefined ? "" : count + "-"}${nsp === undefined ? "" : nsp + ","}${id}${json}`;
}

// plain makes bytes of any kind comparable.
function plain(value) {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    const view = value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return { bytes: Buffer.from(view).toString("base64") };
  }
  if (Array.isArray(value)) return value.map(plain);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, plain(v)]));
  return value;
}

/** The server of one transcript, and the application at the other end. */
class Play {
  #at = 0;
  #acted = -1;
  #inbox = { polling: [], websocket: [] };
  #poll;
  #ws;
  #ids = new Map(); // ids of acks: the transcript's by what the client chose
  #sockets = new Map();
  heard = [];

  constructor(steps) {
    this.steps = steps;
    this.done = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
  }

  async start() {
    this.server = createServer((req, res) => this.#request(req, res));
    const wss = new WebSocketServer({ server: this.server });
    wss.on("connection", (ws) => {
      this.#ws = ws;
      ws.on("message", (data, binary) => this.#said("websocket", binary ? undefined : data.toString(), binary ? data.toString("base64") : undefined));
      this.#advance();
    });
    this.server.listen(0, "127.0.0.1");
    await once(this.server, "listening");
    const upgrade = this.steps.some((s) => s.text === "2probe");
    this.manager = new Manager(`http://127.0.0.1:${this.server.address().port}`, {
      transports: upgrade ? ["polling", "websocket"] : [this.steps[0].transport],
      reconnection: false,
      autoConnect: false,
    });
    this.manager.on("error", (err) => this.reject(err));
    const first = parse(this.steps, this.steps.findIndex((s) => s.from === "client"));
    this.#join(first.nsp, first.data);
  }

  stop() {
    this.manager.reconnection(false);
    this.manager.engine?.close();
    this.server.closeAllConnections();
    this.server.close();
  }

  #request(req, res) {
    const chunks = [];
    req.on("data", (c) => chunks.push(c));
    req.on("end", () => {
      if (req.method !== "POST") {
        this.#poll = res;
        this.#advance();
        return;
      }
      res.end("ok");
      for (const packet of Buffer.concat(chunks).toString().split("\x1e")) {
        if (packet[0] === "b") this.#said("polling", undefined, packet.slice(1));
        else this.#said("polling", packet);
      }
    });
  }

  /** Keeps what the client said until it is its turn: transports do not wait for each other. */
  #said(transport, text, binary) {
    this.#inbox[transport].push([text, binary]);
    this.#advance();
  }

  /** Compares what the client said next with the transcript. */
  #check(step) {
    const { transport } = step;
    let [text, binary] = this.#inbox[transport].shift();
    try {
      if (text !== undefined && step.text !== undefined) {
        const ours = head.exec(text)?.[4];
        const theirs = head.exec(step.text)?.[4];
        if (ours !== undefined && theirs !== undefined && !/^4[36]/.test(text)) {
          this.#ids.set(theirs, ours);
          text = withID(text, theirs);
        }
      }
      assert.deepEqual({ transport, text, binary }, { transport: step.transport, text: step.text, binary: step.binary });
    } catch (err) {
      this.reject(err);
    }
    this.#at++;
  }

  /** Says what the server has to say now, as far as there is somebody to hear it. */
  #advance() {
    for (;;) {
      const step = this.steps[this.#at];
      if (!step) return this.resolve();
      if (step.from === "client") {
        if (this.#inbox[step.transport].length === 0) return void this.#act();
        this.#check(step);
        continue;
      }
      if (step.transport === "websocket") {
        if (!this.#ws) return;
        this.#at++;
        if (step.close) this.#ws.close();
        else this.#ws.send(step.text === undefined ? Buffer.from(step.binary, "base64") : this.#map(step.text));
        continue;
      }
      if (!this.#poll) return;
      const packets = [];
      while (this.steps[this.#at]?.from === "server" && this.steps[this.#at].transport === "polling") {
        const s = this.steps[this.#at++];
        packets.push(s.text === undefined ? "b" + s.binary : this.#map(s.text));
      }
      this.#poll.end(packets.join("\x1e"));
      this.#poll = undefined;
    }
  }

  /** An answer carries the id that the client chose. */
  #map(text) {
    const id = head.exec(text)?.[4];
    if (id === undefined || !/^4[36]/.test(text)) return text;
    return withID(text, this.#ids.get(id));
  }

  /** Has the application do what makes the client say its next step. */
  async #act() {
    const { steps } = this;
    const at = this.#at;
    if (this.#acted === at) return;
    this.#acted = at;
    if (steps[at - 1]?.from === "client" && steps[at].binary !== undefined) return; // an attachment, comes by itself
    const packet = parse(steps, at);
    if (packet === undefined && steps[at].text !== "1") return; // a pong, a probe: nobody has to ask for it
    while (!this.#settled(at)) await new Promise((r) => setImmediate(r));
    if (packet === undefined) return this.manager.engine.close();
    const { type, nsp, id, data } = packet;
    const socket = this.#sockets.get(nsp);
    if (type === 0) this.#join(nsp, data);
    else if (type === 1) socket.disconnect();
    else if (type === 3 || type === 6) return; // by the catch-all listener
    else if (id === undefined) socket.emit(...data);
    else socket.emit(...data, (...answer) => this.heard.push([nsp, id, plain(answer)]));
  }

  /** Whether the application knows of all that the server said before a step. */
  #settled(at) {
    if (this.heard.length < this.#expected(at).length) return false;
    const joined = new Map();
    for (let i = 0; i < at; i++) {
      const p = parse(this.steps, i);
      if (this.steps[i].from === "server" && (p?.type === 0 || p?.type === 1)) joined.set(p.nsp, p.type === 0);
      if (this.steps[i].from === "client" && p?.type === 1) joined.set(p.nsp, false);
    }
    return [...joined].every(([nsp, connected]) => this.#sockets.get(nsp).connected === connected);
  }

  #join(nsp, auth) {
    if (this.#sockets.has(nsp)) {
      const socket = this.#sockets.get(nsp);
      if (auth) socket.auth = auth;
      if (!socket.active) socket.connect();
      return;
    }
    const socket = this.manager.socket(nsp, auth && { auth });
    this.#sockets.set(nsp, socket);
    socket.onAny((...args) => {
      if (typeof args.at(-1) === "function") args.pop()("yes", 2);
      this.heard.push([nsp, plain(args)]);
    });
    socket.on("connect_error", (err) => this.heard.push([nsp, "connect_error", { message: err.message, data: err.data }]));
    socket.connect();
  }

  /** What the application has to have heard by the end. */
  expected() {
    return this.#expected(this.steps.length);
  }

  #expected(end) {
    const out = [];
    this.steps.slice(0, end).forEach((step, i) => {
      const p = step.from === "server" ? parse(this.steps, i) : undefined;
      if (p?.type === 2 || p?.type === 5) out.push([p.nsp, plain(p.data)]);
      if (p?.type === 3 || p?.type === 6) out.push([p.nsp, p.id, plain(p.data)]);
      if (p?.type === 4) out.push([p.nsp, "connect_error", { message: p.data.message, data: p.data.data }]);
    });
    return out;
  }
}

function within(ms, promise, play) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing more happens; heard ${JSON.stringify(play.heard)}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

describe("sessions of the official server", () => {
  test("every session is played, or nobody could", () => {
    for (const name of impossible) assert.ok(sessions.some((s) => s.name === name), name);
    assert.ok(sessions.length - impossible.size >= 12);
  });
  for (const session of sessions.filter((s) => !impossible.has(s.name))) {
    test(session.name, async () => {
      const play = new Play(session.steps);
      await play.start();
      try {
        await within(10_000, play.done, play);
        // The last words are on their way to the application still.
        for (let n = 0; n < 200 && play.heard.length < play.expected().length; n++) await new Promise((r) => setImmediate(r));
        assert.deepEqual(play.heard, play.expected());
      } finally {
        play.stop();
      }
    });
  }
});
