// Where this client behaves better than the official one on the same wire.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, mock, test } from "node:test";
import WebSocket, { WebSocketServer } from "ws";
import { Peer, peers } from "./peers.mjs";

globalThis.WebSocket ??= WebSocket; // Node 20 has none

// A page, as far as the client looks at it.
const page = new EventTarget();
let listeners = 0;
globalThis.addEventListener = (...args) => (listeners++, page.addEventListener(...args));
globalThis.removeEventListener = (...args) => page.removeEventListener(...args);
globalThis.document = { hidden: false };
const happen = (type, more) => page.dispatchEvent(Object.assign(new Event(type), more));

const { batches, events, io, Manager } = await import("../dist/index.js");

function next(emitter, event) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no "${event}" within 10 s`)), 10_000);
    emitter.once(event, (...args) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
}

/** A server of Engine.IO that does what a test says, over WebSocket or HTTP. */
async function scripted({ http, websocket, handshake = {} }) {
  const open = "0" + JSON.stringify({ sid: "s", upgrades: [], pingInterval: 25000, pingTimeout: 20000, maxPayload: 1e6, ...handshake });
  const server = createServer((req, res) => http(req, res, open));
  const wss = new WebSocketServer({ noServer: true });
  const silent = new Set();
  server.on("upgrade", (req, socket, head) => {
    if (websocket === undefined) return void socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    if (websocket === null) return void silent.add(socket); // neither yes nor no
    wss.handleUpgrade(req, socket, head, (ws) => {
      ws.send(open);
      websocket(ws, req);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    server.closeAllConnections();
    for (const ws of wss.clients) ws.terminate();
    for (const socket of silent) socket.destroy();
    server.close();
  };
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}

/** Joins every namespace that is asked for, and says what else arrives. */
const joins = (heard = () => {}) => (ws) =>
  ws.on("message", (data, binary) => {
    const text = binary ? data : data.toString();
    if (/^40/.test(text)) ws.send("40" + JSON.stringify({ sid: "x" }));
    heard(text, ws);
  });

describe("with the official server", () => {
  let peer;
  before(async () => (peer = await Peer.start([...peers["the official server"](), JSON.stringify({ maxHttpBufferSize: 10_000 })])));
  after(() => peer.close());
  const managers = [];
  after(() => managers.forEach((m) => (m.reconnection(false), m.engine?.close())));
  const manager = (options) => {
    const m = new Manager(peer.url, { reconnectionDelay: 20, ...options });
    managers.push(m);
    return m;
  };

  test("it begins with WebSocket", async () => {
    const s = manager().socket("/");
    await next(s, "connect");
    assert.equal(s.io.engine.transport.name, "websocket");
  });

  for (const size of [9_990, 10_100]) {
    test(`${size} bytes where the server takes 10,000`, async () => {
      const s = manager().socket("/");
      await next(s, "connect");
      const lost = [];
      s.on("disconnect", (reason) => lost.push(reason));
      const text = "x".repeat(size - '42["echo",""]'.length - 1); // the id has one digit
      if (size < 10_000) assert.equal(await s.emitWithAck("echo", text), text);
      else {
        await assert.rejects(s.emitWithAck("echo", text), /^Error: payload too large: 10099 > 10000$/);
        assert.throws(() => s.emit("say", new Uint8Array(20_000)), /^Error: payload too large: 20000 > 10000$/);
        assert.equal(await s.emitWithAck("echo", 1), 1);
      }
      assert.deepEqual(lost, []);
    });
  }

  test("what is too large and waited is told where nobody catches, and holds up nothing", async () => {
    const s = manager({ autoConnect: false }).socket("/");
    const others = process.rawListeners("unhandledRejection"); // of the test runner
    process.removeAllListeners("unhandledRejection");
    const caught = once(process, "unhandledRejection");
    s.emit("say", "x".repeat(20_000));
    const kept = s.emitWithAck("echo", "kept");
    s.connect();
    assert.equal(await kept, "kept");
    assert.match((await caught)[0].message, /^payload too large/);
    for (const listener of others) process.on("unhandledRejection", listener);
  });

  test("a signal ends the wait for an answer", async () => {
    const s = manager().socket("/");
    await next(s, "connect");
    const stop = new AbortController();
    const waiting = s.signal(stop.signal).emitWithAck("nobody listens");
    stop.abort();
    await assert.rejects(waiting, { name: "AbortError" });
    await assert.rejects(s.signal(stop.signal).emitWithAck("echo", 1), { name: "AbortError" });
    assert.equal(await s.signal(new AbortController().signal).emitWithAck("echo", 2), 2);
    assert.deepEqual(Object.keys(s.acks), []);
  });

  test("what was taken back while it waited is not sent", async () => {
    const s = manager({ autoConnect: false }).socket("/");
    const stop = new AbortController();
    const waiting = s.signal(stop.signal).emitWithAck("echo", "taken back");
    assert.equal(s.sendBuffer.length, 1);
    stop.abort(new Error("changed my mind"));
    await assert.rejects(waiting, /^Error: changed my mind$/);
    assert.equal(s.sendBuffer.length, 0);
  });

  test("events are iterated over", async () => {
    const s = manager().socket("/");
    const seen = [];
    const said = events(s, "said");
    for (let n = 0; n < 5; n++) s.emit("say", n, "and more");
    for await (const [n, more] of said) {
      seen.push([n, more]);
      if (n === 4) break;
    }
    assert.deepEqual(seen, [0, 1, 2, 3, 4].map((n) => [n, "and more"]));
    assert.equal(s.hasListeners("said"), false);
    assert.deepEqual(await said.next(), { value: undefined, done: true });

    const stop = new AbortController();
    const none = events(s, "never", { signal: stop.signal }).next();
    stop.abort();
    assert.equal((await none).done, true);

    const few = events(s, "said", { limit: 2 });
    for (let n = 0; n < 5; n++) s.emit("say", n);
    await s.emitWithAck("echo");
    assert.deepEqual((await few.next()).value, [3]);
    await few.return();
  });

  test("stats", async () => {
    const s = manager({ transports: ["websocket"] }).socket("/");
    s.emit("say", "x");
    assert.deepEqual({ ...s.stats(), latency: undefined }, { latency: undefined, connects: 0, bytesIn: 0, bytesOut: 0, buffered: 1, dropped: 0 });
    await next(s, "connect");
    await s.emitWithAck("echo", "y".repeat(1000));
    const { latency, connects, bytesIn, bytesOut, buffered } = s.stats();
    assert.ok(latency >= 0 && bytesIn > 1000 && bytesOut > 1000);
    assert.deepEqual([connects, buffered], [1, 0]);
    peer.cut();
    await next(s, "connect");
    assert.equal(s.stats().connects, 2);
  });

  for (const policy of ["oldest", "newest"]) {
    test(`too many events that wait: the ${policy} goes`, async () => {
      const s = manager({ autoConnect: false }).socket("/", { bufferLimit: 3, bufferPolicy: policy });
      const fate = [1, 2, 3, 4].map((n) => s.emitWithAck("echo", n).then(String, (err) => err.message));
      assert.deepEqual([s.sendBuffer.length, s.stats().dropped], [3, 1]);
      s.connect();
      assert.deepEqual(await Promise.all(fate), policy === "oldest" ? ["dropped", "2", "3", "4"] : ["1", "2", "3", "dropped"]);
    });
  }

  for (const [kind, auth] of Object.entries({
    "a function with a callback": (done) => setImmediate(done, { token: "good" }),
    "an async function": async () => ({ token: "good" }),
    "an async function with a callback": async (done) => {
      await null;
      done({ token: "good" });
    },
    "a function that returns": () => ({ token: "good" }),
  })) {
    test(`auth as ${kind}, asked at each attempt`, async () => {
      let asked = 0;
      const counted = auth.length ? (done) => (asked++, auth(done)) : () => (asked++, auth());
      const s = manager().socket("/guarded", { auth: counted });
      await next(s, "connect");
      peer.cut();
      await next(s, "connect");
      assert.equal(asked, 2);
    });
  }

  test("auth that fails is a connect_error", async () => {
    const s = manager().socket("/guarded", { auth: async () => Promise.reject(new Error("no token today")) });
    assert.equal((await next(s, "connect_error"))[0].message, "no token today");
    assert.equal(s.active, false);
  });

  test("open() in the place of an attempt that waits is followed by others, too", async () => {
    const m = new Manager("http://127.0.0.1:1", { reconnectionDelay: 20, reconnectionDelayMax: 20 });
    await next(m, "reconnect_error");
    m.open();
    assert.equal((await next(m, "reconnect_attempt"))[0], 2);
    m.reconnection(false);
    m.engine.close();
  });

  test("calling connect twice asks once", async () => {
    const s = manager({ autoConnect: false }).socket("/");
    s.connect().connect();
    await next(s.io, "open");
    s.connect();
    await next(s, "connect");
    assert.equal(await s.emitWithAck("echo", 1), 1); // a second CONNECT would have ended the connection
  });
});

describe("what looks like a batch of package batch", () => {
  for (const [name, items, want] of [
    ["a batch, to compare", [{ event: "a", data: 1 }, { event: "b", args: [2, 3] }], [["a", 1], ["b", 2, 3]]],
    ["an object", { event: "a" }, []],
    ["text", "event", []],
    ["nothing", null, []],
    ["a list of nothing", [null], []],
    ["an item without an event among others", [{ event: "a", data: 1 }, { data: 2 }, { event: 3 }, { event: "a", data: 4 }], [["a", 1], ["a", 4]]],
    ["an event of the client's own", [{ event: "disconnect", data: "no" }], []],
    ["arguments that are no list", [{ event: "a", args: 1 }], [["a", 1]]],
  ]) {
    test(name, async () => {
      const server = await scripted({
        websocket: joins((text, ws) => text === '42["go"]' && [["prices", items], ["done"]].forEach((event) => ws.send("42" + JSON.stringify(event)))),
      });
      const s = batches(io(server.url, { transports: ["websocket"], forceNew: true }), "prices");
      const seen = [];
      s.onAny((...args) => seen.push(args));
      const fired = [];
      for (const event of ["a", "b", "disconnect"]) s.on(event, (...args) => fired.push([event, ...args]));
      s.emit("go");
      await next(s, "done");
      assert.deepEqual(seen, [["prices", items], ...want, ["done"]]);
      assert.deepEqual(fired, want);
      s.disconnect();
      server.close();
    });
  }
});

describe("transports", () => {
  const status = (code) => (req, res) => res.writeHead(code).end();

  for (const code of [401, 403, 503]) {
    for (const transports of [undefined, ["websocket"]]) {
      test(`${code} is found out, with transports ${transports}`, async () => {
        const server = await scripted({ http: status(code) });
        const s = io(server.url, { transports, reconnection: false, forceNew: true });
        const [err] = await next(s, "connect_error");
        assert.deepEqual([err.type, err.description], ["TransportError", code]);
        server.close();
      });
    }
  }

  test("the session that is opened by asking is closed", async () => {
    const asked = [];
    let closed;
    const goodbye = new Promise((resolve) => (closed = resolve));
    const server = await scripted({
      http(req, res, open) {
        asked.push(req.method + " " + new URL(req.url, "http://x").searchParams.get("sid"));
        res.end(req.method === "GET" ? open : "ok");
        if (req.method === "POST") closed();
      },
    });
    const s = io(server.url, { transports: ["websocket"], reconnection: false, forceNew: true });
    const [err] = await next(s, "connect_error");
    assert.equal(err.message, "websocket error");
    await goodbye;
    assert.deepEqual(asked, ["GET null", "POST s"]);
    server.close();
  });

  // What answers over HTTP only.
  function poller() {
    const waiting = [];
    return (req, res, open) => {
      const url = new URL(req.url, "http://x");
      if (!url.searchParams.has("sid")) return void res.end(open);
      if (req.method === "GET") return void waiting.push(res);
      let body = "";
      req.on("data", (d) => (body += d));
      req.on("end", () => {
        res.end("ok");
        if (/^40/.test(body)) waiting.shift().end("40" + JSON.stringify({ sid: "x" }));
      });
    };
  }

  test("a WebSocket that is refused is followed by polling", async () => {
    const server = await scripted({ http: poller() });
    const s = io(server.url, { forceNew: true });
    await next(s, "connect");
    assert.equal(s.io.engine.transport.name, "polling");
    s.disconnect();
    server.close();
  });

  test("a WebSocket that gets no answer, too, in good time", async () => {
    const server = await scripted({ http: poller(), websocket: null });
    const s = io(server.url, { forceNew: true });
    mock.timers.enable({ apis: ["setTimeout"] });
    // The engine was made before: one more, whose timer is ours.
    const t = io(server.url, { forceNew: true });
    mock.timers.tick(5000);
    mock.timers.reset();
    await next(t, "connect");
    assert.equal(t.io.engine.transport.name, "polling");
    s.disconnect();
    t.disconnect();
    server.close();
  });

  test("polling that is refused is not followed by WebSocket unless asked for", async () => {
    const server = await scripted({ http: status(401), websocket: joins() });
    const s = io(server.url, { transports: ["polling", "websocket"], reconnection: false, forceNew: true });
    assert.equal((await next(s, "connect_error"))[0].description, 401);
    const t = io(server.url, { transports: ["polling", "websocket"], tryAllTransports: true, forceNew: true });
    await next(t, "connect");
    t.disconnect();
    server.close();
  });
});

describe("a page that wakes up", () => {
  async function connected(options, handshake) {
    const heard = [];
    const server = await scripted({ websocket: joins((text, ws) => heard.push([text, ws])), handshake });
    const s = io(server.url, { transports: ["websocket"], forceNew: true, reconnectionDelay: 60_000, ...options });
    await next(s, "connect");
    return { s, heard, server };
  }

  test("tries again at once", async () => {
    const { s, heard, server } = await connected();
    heard[0][1].terminate();
    await next(s, "disconnect");
    const back = next(s, "connect");
    happen("online");
    await back;
    s.disconnect();
    server.close();
  });

  test("not while it is hidden, and not because it was shown first", async () => {
    const { s, heard, server } = await connected();
    const before = heard.length;
    document.hidden = true;
    happen("visibilitychange");
    document.hidden = false;
    happen("pageshow", { persisted: false });
    happen("pageshow", { persisted: true });
    await new Promise((resolve) => s.io.engine.transport && setImmediate(resolve));
    while (heard.length === before) await new Promise(setImmediate);
    assert.deepEqual(heard.slice(before).map(([text]) => text), ["6"]); // one noop, by the last of them
    s.disconnect();
    server.close();
  });

  test("waits for an overdue ping only a moment", async () => {
    const { s, server } = await connected({}, { pingInterval: 10, pingTimeout: 4000 });
    mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.now() + 1000 });
    const gone = next(s, "disconnect");
    happen("visibilitychange");
    mock.timers.tick(2999);
    assert.equal(s.connected, true);
    mock.timers.tick(2);
    assert.equal((await gone)[0], "ping timeout");
    mock.timers.reset();
    s.disconnect();
    server.close();
  });

  test("sees at once that time is over", async () => {
    const { s, server } = await connected();
    mock.timers.enable({ apis: ["Date"], now: Date.now() + 60_000 });
    const gone = next(s, "disconnect");
    happen("resume");
    assert.equal((await gone)[0], "ping timeout");
    mock.timers.reset();
    s.disconnect();
    server.close();
  });

  test("and does not listen any more when nobody needs it", async () => {
    let left = 0;
    const { removeEventListener } = page;
    page.removeEventListener = (...args) => (left++, removeEventListener.apply(page, args));
    listeners = 0;
    const { s, server } = await connected();
    s.disconnect();
    assert.ok(listeners > 0 && left >= listeners, `${listeners} added, ${left} removed`);
    delete page.removeEventListener;
    server.close();
  });
});

test("waits are spread, and never longer than the maximum", async () => {
  const waits = [];
  mock.timers.enable({ apis: ["setTimeout"] });
  const original = globalThis.setTimeout;
  globalThis.setTimeout = (fn, ms) => (waits.push(ms), original(fn, ms));
  const m = new Manager("http://127.0.0.1:1", { transports: ["websocket"], timeout: false, autoConnect: false });
  class Refused {
    constructor() {
      queueMicrotask(() => this.onclose({}));
    }
    close() {}
  }
  m.opts.WebSocket = Refused;
  m.open();
  for (let n = 0; n < 40; n++) {
    while (waits.length <= n) await null;
    mock.timers.tick(waits[n] + 1);
  }
  m.reconnection(false);
  globalThis.setTimeout = original;
  mock.timers.reset();
  assert.ok(waits[0] >= 500 && waits[0] <= 1500, String(waits[0]));
  const late = waits.slice(5, 40);
  assert.ok(late.every((ms) => ms >= 1600 && ms <= 5000), String(late));
  assert.equal(new Set(late).size, late.length);
});
