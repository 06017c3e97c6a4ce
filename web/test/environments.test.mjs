// Where there is neither a page nor Node: Deno itself, and contexts with no other
// globals than those of Deno, workers, or React Native.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createContext, runInContext } from "node:vm";
import WebSocket from "ws";
import { Peer, peers } from "./peers.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const script = readFileSync(here + "../dist/socket.io.min.js", "utf8");
const ways = { websocket: "websocket", polling: "polling", "polling,websocket": "websocket" };

let peer;
before(async () => (peer = await Peer.start(peers["the official server"]())));
after(() => peer.close());

describe("Deno", () => {
  for (const [transports, last] of Object.entries(ways)) {
    test(transports, async () => {
      const { stdout } = await promisify(execFile)(here + "../node_modules/.bin/deno", ["run", "--no-config", "--allow-net=127.0.0.1", here + "deno-program.mjs", peer.url, transports], { timeout: 30_000 });
      assert.equal(stdout, `ü 1,255 ${last}\n`);
    });
  }
});

/** A global scope with the language, these names, and nothing else. */
function scope(names, more) {
  const context = createContext(Object.assign(Object.fromEntries(names.map((name) => [name, globalThis[name]])), more));
  runInContext("var globalThis = this; " + script, context);
  return context;
}

const web = "AbortController Blob Event EventTarget TextDecoder TextEncoder URL URLSearchParams atob btoa clearTimeout console fetch queueMicrotask setTimeout".split(" ");

// React Native has no events of its global scope, no document, a URL of which most
// throws, a fetch without streams, and sends headers with a WebSocket.
class PartialURL {
  get searchParams() {
    throw new Error("not implemented");
  }
}
class HeaderSocket extends WebSocket {
  constructor(url, protocols, options) {
    super(url, protocols.length ? protocols : undefined, options);
  }
}
const native = "AbortController Blob TextEncoder URLSearchParams atob btoa clearTimeout console queueMicrotask setTimeout".split(" ");
const plainFetch = (...args) => fetch(...args).then((r) => ({ status: r.status, ok: r.ok, text: () => r.text() }));

for (const [name, make] of Object.entries({
  "only what all of the web has": () => scope(web, { WebSocket }),
  "a worker": () => {
    const target = new EventTarget();
    const context = scope(web, {
      WebSocket,
      WorkerGlobalScope: class {},
      location: new URL(peer.url + "/worker.js"),
      addEventListener: target.addEventListener.bind(target),
      removeEventListener: target.removeEventListener.bind(target),
    });
    context.self = context;
    return context;
  },
  "React Native": () => {
    const context = scope(native, { WebSocket: HeaderSocket, URL: PartialURL, fetch: plainFetch, navigator: { product: "ReactNative" } });
    context.window = context.self = context.global = context;
    return context;
  },
})) {
  describe(name, () => {
    for (const [transports, last] of Object.entries(ways)) {
      test(transports, async () => {
        const context = make();
        Object.assign(context, { url: peer.url, transports: transports.split(",") });
        const s = runInContext('io(url, { transports, forceNew: true, extraHeaders: { "x-who": "me" } })', context);
        await once(s, "connect");
        const { engine } = s.io;
        if (engine.transport.name !== last) await once(engine, "upgrade");
        const { text, bytes } = await runInContext('(s) => s.timeout(5000).emitWithAck("echo", { text: "ü", bytes: new Uint8Array([1, 255]) })', context)(s);
        assert.deepEqual([text, [...new Uint8Array(bytes)], engine.transport.name], ["ü", [1, 255], last]);
        if (name === "React Native") assert.equal((await s.timeout(5000).emitWithAck("what are my headers")).who, "me");
        s.disconnect();
      });
    }
    test("an address that nobody serves", async () => {
      const server = createServer().listen(0, "127.0.0.1");
      await once(server, "listening");
      const url = `http://127.0.0.1:${server.address().port}`;
      server.close();
      const s = runInContext("(url) => io(url, { reconnection: false, forceNew: true })", make())(url);
      const [error] = await once(s, "connect_error", { signal: AbortSignal.timeout(10_000) }).catch((err) => [err]);
      assert.deepEqual([error.type, error.description], ["TransportError", 0]);
    });
  });
}

test("without a page an address has to name its host", () => {
  assert.throws(() => runInContext('io("/chat")', scope(web, { WebSocket })), /no host/);
});

test("a worker's own host is the default", () => {
  const context = scope(web, { WebSocket, location: new URL(peer.url + "/worker.js") });
  const s = runInContext("io({ autoConnect: false })", context);
  assert.equal(s.io.uri, undefined);
  assert.equal(s.nsp, "/");
});
