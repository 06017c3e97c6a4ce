// Clients that say exactly what they are told to, for what the official client
// would never send.
import http from "node:http";
import net from "node:net";
import { once } from "node:events";
import { WebSocket } from "ws";
import { within } from "./wait.mjs";

const base = "/socket.io/?EIO=4";

// request resolves with {status, headers, body}. Extra fields are those of
// http.request.
export function request(url, { body, timeout = 10_000, ...rest } = {}) {
  return within(
    timeout,
    `an answer to ${rest.method ?? "GET"} ${url}`,
    new Promise((resolve, reject) => {
      const req = http.request(url, { agent: false, ...rest }, (res) => {
        const parts = [];
        res.on("data", (d) => parts.push(d));
        res.on("error", reject);
        res.on("end", () => resolve({ status: res.statusCode, headers: res.headers, body: Buffer.concat(parts).toString(), bytes: Buffer.concat(parts) }));
      });
      req.on("upgrade", (res, socket) => {
        socket.destroy();
        resolve({ status: res.statusCode, headers: res.headers, body: "" });
      });
      req.on("error", reject);
      req.end(body);
    }),
  );
}

// upgradeRequest asks for a WebSocket and resolves with the answer to it.
export function upgradeRequest(url, headers = {}) {
  return request(url, {
    headers: {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...headers,
    },
  });
}

// A session over long-polling, one request at a time as the caller says.
export class RawPolling {
  static async open(server, query = "") {
    const p = new RawPolling();
    p.server = server;
    const res = await request(`${server.url}${base}&transport=polling${query}`);
    if (res.status !== 200) throw new Error(`handshake: ${res.status} ${res.body}`);
    p.handshake = res;
    p.open = JSON.parse(res.body.slice(1));
    p.sid = p.open.sid;
    p.url = `${server.url}${base}&transport=polling&sid=${p.sid}`;
    return p;
  }

  poll() {
    return request(this.url);
  }

  post(body, options = {}) {
    return request(this.url, { method: "POST", headers: { "Content-Type": "text/plain;charset=UTF-8" }, body, ...options });
  }

  // join connects to a namespace and resolves with the id of its socket. What
  // came with the answer is left in this.rest.
  async join(nsp = "/") {
    const prefix = nsp === "/" ? "40" : `40${nsp},`;
    const res = await this.post(prefix);
    if (res.body !== "ok") throw new Error(`POST ${prefix}: ${res.status} ${res.body}`);
    this.rest = "";
    for (;;) {
      const { status, body } = await this.poll();
      if (status !== 200) throw new Error(`poll: ${status} ${body}`);
      this.rest += body;
      const at = body.split("\x1e").find((p) => p.startsWith(prefix));
      if (at) return JSON.parse(at.slice(prefix.length)).sid;
    }
  }

  // drain polls until a packet that starts with prefix has come and resolves
  // with the packets so far.
  async drain(prefix) {
    const packets = this.rest ? this.rest.split("\x1e") : [];
    this.rest = "";
    while (!packets.some((p) => p.startsWith(prefix))) {
      const { status, body } = await this.poll();
      if (status !== 200) throw new Error(`poll: ${status} ${body}`);
      packets.push(...body.split("\x1e"));
    }
    return packets;
  }
}

// A session, or a probe of one, over WebSocket.
export class RawWebSocket {
  #queue = [];
  #waiting = [];

  static async dial(server, query = "", options = {}) {
    const w = new RawWebSocket();
    w.ws = new WebSocket(`${server.url.replace("http", "ws")}${base}&transport=websocket${query}`, options);
    w.ws.on("message", (data, isBinary) => {
      const m = isBinary ? data : data.toString();
      const first = w.#waiting.shift();
      if (first) first(m);
      else w.#queue.push(m);
    });
    w.closed = new Promise((resolve) => w.ws.on("close", (code, reason) => resolve({ code, reason: reason.toString() })));
    w.ws.on("error", (err) => (w.error = err));
    await within(10_000, "the WebSocket to open", Promise.race([once(w.ws, "open"), w.closed.then(() => { throw w.error ?? new Error("closed"); })]));
    return w;
  }

  static async open(server, query = "") {
    const w = await RawWebSocket.dial(server, query);
    w.handshake = await w.next();
    w.open = JSON.parse(w.handshake.slice(1));
    w.sid = w.open.sid;
    return w;
  }

  send(data) {
    this.ws.send(data);
  }

  next(ms = 10_000) {
    if (this.#queue.length) return Promise.resolve(this.#queue.shift());
    return within(ms, "a WebSocket message", new Promise((resolve) => this.#waiting.push(resolve)));
  }

  // until resolves with the first message that starts with prefix and forgets
  // those before it.
  async until(prefix) {
    for (;;) {
      const m = await this.next();
      if (typeof m === "string" && m.startsWith(prefix)) return m;
    }
  }

  async join(nsp = "/") {
    const prefix = nsp === "/" ? "40" : `40${nsp},`;
    this.send(prefix);
    const { sid } = JSON.parse((await this.until(prefix)).slice(prefix.length));
    return sid;
  }

  close() {
    this.ws.terminate();
  }

  ended(ms = 10_000) {
    return within(ms, "the WebSocket to close", this.closed);
  }
}

// bytes sends text over a TCP connection and resolves with all that comes back
// until the server closes it.
export function bytes(server, text) {
  return within(
    10_000,
    "the server to close the connection",
    new Promise((resolve, reject) => {
      const parts = [];
      const socket = net.connect(server.port, "127.0.0.1", () => socket.write(text));
      socket.on("data", (d) => parts.push(d));
      socket.on("error", reject);
      socket.on("close", () => resolve(Buffer.concat(parts).toString("latin1")));
    }),
  );
}
