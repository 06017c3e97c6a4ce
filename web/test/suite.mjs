// What every build of the client has to do, against the official server and our
// own; *.test.mjs say which build, and over what.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import WebSocket from "ws";
import { Peer, peers } from "./peers.mjs";

globalThis.WebSocket ??= WebSocket; // Node 20 has none

// next resolves with the arguments of the next event, and fails when none comes.
function next(emitter, event) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no "${event}" within 10 s`)), 10_000);
    emitter.once(event, (...args) => {
      clearTimeout(timer);
      resolve(args);
    });
  });
}

const all = { websocket: ["websocket"], polling: ["polling"], upgrade: ["polling", "websocket"] };

/** Defines the tests for a build that has these transports. */
export function suite({ io, Manager, batches }, names = Object.keys(all)) {
  const transports = Object.fromEntries(names.map((name) => [name, all[name]]));
  const polls = names.includes("polling");

  const managers = [];
  function manager(url, options) {
    const m = new Manager(url, { reconnectionDelay: 20, reconnectionDelayMax: 100, ...options });
    managers.push(m);
    return m;
  }
  afterEach(() => {
    for (const m of managers.splice(0)) {
      m.reconnection(false);
      m.engine?.close();
    }
  });

  for (const [peerName, command] of Object.entries(peers)) {
    for (const [name, list] of Object.entries(transports)) {
      describe(`${peerName} over ${name}`, () => {
        let peer;
        before(async () => (peer = await Peer.start(command())));
        after(() => peer.close());

        const socket = (nsp = "/", options = {}) => manager(peer.url, { transports: list, ...options }).socket(nsp, options);
        async function connected(...args) {
          const s = socket(...args);
          await next(s, "connect");
          return s;
        }

        test("an event is answered", async () => {
          const s = await connected();
          const value = { a: [1, "ü€😀", null, true, -1.5e-7, { "": [] }] };
          assert.deepEqual(await s.emitWithAck("echo", value), value);
        });

        test("events keep their order, across an upgrade too", async () => {
          const s = await connected();
          const seen = [];
          const all = new Promise((resolve) => s.on("said", (n) => seen.push(n) === 200 && resolve()));
          for (let n = 0; n < 200; n++) s.emit("say", n);
          await all;
          assert.deepEqual(
            seen,
            Array.from({ length: 200 }, (_, n) => n),
          );
          if (name === "upgrade" && s.io.engine.transport.name !== "websocket") await next(s.io.engine, "upgrade");
          assert.equal(s.io.engine.transport.name, name === "upgrade" ? "websocket" : name);
        });

        for (const forceBase64 of [false, true]) {
          test(`bytes go both ways${forceBase64 ? ", with forceBase64" : ""}`, async () => {
            const s = await connected("/", { forceBase64 });
            const big = new Uint8Array(30_000).map((_, i) => i * 7);
            const back = await s.emitWithAck("echo", { bytes: new Uint8Array([0, 1, 254, 255]).subarray(1), more: [big] });
            assert.deepEqual([...new Uint8Array(back.bytes)], [1, 254, 255]);
            assert.deepEqual(new Uint8Array(back.more[0]), big);
          });
        }

        if (peerName === "our server")
          test("a batch is taken apart for who asks for it", async () => {
            const s = batches(await connected());
            const seen = [];
            s.on("said", (...args) => seen.push(args));
            const any = [];
            s.onAny((event) => any.push(event));
            s.emit("tell me together");
            await next(s, "done");
            assert.deepEqual([...new Uint8Array(seen[2].pop())], [3]);
            assert.deepEqual(seen, [["one"], [], [2]]);
            assert.deepEqual(any, ["batch", "said", "said", "said", "done"]);
            s.off("batch");
            const batch = next(s, "batch");
            s.emit("tell me together");
            assert.deepEqual((await batch)[0].map(({ event }) => event), ["said", "said", "said", "done"]);
            assert.equal(seen.length, 3);
          });

        test("the server's question is answered", async () => {
          const s = await connected();
          s.on("question", (n, ack) => ack(n + 1));
          assert.equal(await s.emitWithAck("ask me"), 21);
        });

        test("namespaces share a connection", async () => {
          const s = await connected();
          const other = s.io.socket("/guarded", { auth: { token: "good" } });
          await next(other, "connect");
          assert.notEqual(other.id, s.id);
          s.disconnect();
          assert.equal(other.connected, true);
          assert.equal(s.io.engine.readyState, "open");
          other.disconnect();
          assert.notEqual(s.io.engine.readyState, "open");
        });

        test("a refusal says why", async () => {
          const s = socket("/guarded", { auth: { token: "bad" } });
          const [err] = await next(s, "connect_error");
          assert.equal(err.message, "Invalid token");
          assert.deepEqual(err.data, { code: 401 });
          assert.equal(s.connected, false);
          assert.equal(s.active, false);
        });

        test("auth may be a function that answers later", async () => {
          const s = await connected("/guarded", { auth: (answer) => setImmediate(answer, { token: "good" }) });
          assert.equal(s.connected, true);
        });

        test("a server that disconnects is not asked again", async () => {
          const s = await connected();
          s.emit("kick me");
          assert.equal((await next(s, "disconnect"))[0], "io server disconnect");
          assert.equal(s.active, false);
          assert.equal(s.id, undefined);
        });

        test("one's own goodbye has its reason", async () => {
          const s = await connected();
          const gone = next(s, "disconnect");
          s.disconnect();
          assert.equal((await gone)[0], "io client disconnect");
          s.connect();
          await next(s, "connect");
        });

        test("a lost connection comes back, and what was said meanwhile with it", async () => {
          const s = await connected();
          const first = s.id;
          const gone = next(s, "disconnect");
          const lost = assert.rejects(s.timeout(60_000).emitWithAck("nobody listens"), /socket has been disconnected/);
          peer.cut();
          assert.match((await gone)[0], /^transport (close|error)$/);
          await lost;
          const said = next(s, "said");
          s.emit("say", "while away");
          s.volatile.emit("say", "not worth keeping");
          assert.equal(s.sendBuffer.length, 1);
          await next(s, "connect");
          assert.notEqual(s.id, first);
          assert.deepEqual(await said, ["while away"]);
        });

        test("a server that was restarted is found again", async () => {
          const s = await connected();
          const failed = next(s, "connect_error");
          const tried = next(s.io, "reconnect_attempt");
          await peer.pause();
          assert.deepEqual(await tried, [1]);
          const [err] = await failed;
          assert.equal(err.type, "TransportError");
          assert.match(err.message, /^(xhr poll|websocket) error$/);
          const back = next(s.io, "reconnect");
          const again = next(s, "connect");
          await peer.resume();
          assert.ok((await back)[0] >= 2);
          await again;
          assert.equal(await s.emitWithAck("echo", "hello again"), "hello again");
        });

        test("an answer that does not come is an error", async () => {
          const s = await connected();
          await assert.rejects(s.timeout(50).emitWithAck("nobody listens"), /operation has timed out/);
          const t = await connected("/", { ackTimeout: 50 });
          const err = await new Promise((resolve) => t.emit("nobody listens", resolve));
          assert.equal(err.message, "operation has timed out");
        });

        test("an event is sent again until it is answered, and those behind it wait", async () => {
          const s = await connected("/", { retries: 3, ackTimeout: 100 });
          const order = [];
          await Promise.all([
            s.emitWithAck("mumble", "one").then((answer) => order.push(answer)),
            s.emitWithAck("echo", "two").then((answer) => order.push(answer)),
          ]);
          assert.deepEqual(order, ["at last: one", "two"]);
          const err = await new Promise((resolve) => s.emit("nobody listens", resolve));
          assert.equal(err.message, "operation has timed out");
        });

        test("catch-all listeners see both directions", async () => {
          const s = await connected();
          const seen = [];
          s.onAnyOutgoing((...args) => seen.push(["out", ...args]));
          s.onAny((...args) => seen.push(["in", ...args]));
          const said = next(s, "said");
          s.emit("say", 1, "b");
          await said;
          assert.deepEqual(seen, [
            ["out", "say", 1, "b"],
            ["in", "said", 1, "b"],
          ]);
          s.offAny().offAnyOutgoing();
          await s.emitWithAck("echo");
          assert.equal(seen.length, 2);
        });
      });
    }
  }

  const official = peers["the official server"]();

  describe("whatever the server", () => {
    let peer;
    before(async () => (peer = await Peer.start([...official, JSON.stringify({ connectionStateRecovery: {} })])));
    after(() => peer.close());

    test("what was missed during a cut arrives, before connect", async () => {
      const s = manager(peer.url, { transports: ["websocket"] }).socket("/");
      await next(s, "connect");
      assert.equal(s.recovered, false);
      const first = s.id;
      const said = next(s, "said");
      s.emit("say", "an offset to start from");
      await said;
      const seen = [];
      s.on("said", (text) => seen.push([text, s.recovered]));
      s.on("connect", () => seen.push("connect"));
      await s.timeout(5000).emitWithAck("echo"); // what follows is behind it
      s.emit("tell everyone later", "missed");
      await s.timeout(5000).emitWithAck("echo");
      peer.cut();
      await next(s, "connect");
      assert.deepEqual(seen, [["missed", true], "connect"]);
      assert.equal(s.recovered, true);
      assert.equal(s.id, first);
    });

    test("io shares a connection between namespaces, not between equal ones", async () => {
      const options = { transports: ["websocket"], autoConnect: false };
      const one = io(peer.url, options);
      const two = io(peer.url + "/guarded", options);
      const three = io(peer.url, options);
      assert.equal(one.io, two.io);
      assert.notEqual(one.io, three.io);
      assert.notEqual(one.io, io(peer.url + "/other", { ...options, forceNew: true }).io);
      managers.push(one.io, three.io);
    });

    test("the query of the address reaches the server", async () => {
      const s = io(peer.url + "/?token=a%20b", { transports: [polls ? "polling" : "websocket"], forceNew: true });
      managers.push(s.io);
      await next(s, "connect");
      assert.equal(await s.emitWithAck("what is my token"), "a b");
    });

    if (polls)
      test("an upgrade that fails half-way leaves polling alive", async () => {
        // It answers the probe itself, and ends once polling has been told to pause.
        class Fleeting {
          constructor() {
            setImmediate(() => this.onopen());
          }
          send(packet) {
            assert.equal(packet, "2probe");
            setImmediate(() => {
              this.onmessage({ data: "3probe" });
              this.onclose({});
            });
          }
          close() {}
        }
        const m = manager(peer.url, { transports: ["polling", "websocket"], WebSocket: Fleeting });
        const s = m.socket("/");
        const paused = next(m.engine, "upgrading");
        const [err] = await next(m.engine, "upgradeError");
        await paused;
        assert.equal(err.message, "probe error");
        for (const n of [1, 2, 3]) assert.equal(await s.timeout(5000).emitWithAck("echo", n), n);
        assert.equal(m.engine.transport.name, "polling");
      });

    if (polls)
      test("a server is told of the end in the middle of an upgrade, too", async () => {
        class Slow {
          constructor() {
            setImmediate(() => this.onopen());
          }
          send() {
            setImmediate(() => this.onmessage({ data: "3probe" }));
          }
          close() {}
        }
        const posted = [];
        const m = manager(peer.url, {
          transports: ["polling", "websocket"],
          WebSocket: Slow,
          reconnection: false,
          fetch(url, options) {
            if (options.body) posted.push(options.body);
            return fetch(url, options);
          },
        });
        await next(m, "open");
        await next(m.engine, "upgrading");
        const over = next(m.engine, "close");
        m.engine.close();
        await over;
        assert.deepEqual(posted, ["1"]);
      });

    test("an auth function that answers for a past connection is not heard", async () => {
      const answers = [];
      const m = manager(peer.url, { transports: ["websocket"] });
      const s = m.socket("/guarded", { auth: (answer) => answers.push(answer) });
      const refused = [];
      s.on("connect_error", (err) => refused.push(err));
      await next(m, "open");
      peer.cut();
      await next(m, "reconnect");
      assert.equal(answers.length, 2);
      answers[0]({ token: "bad" });
      answers[1]({ token: "good" });
      await next(s, "connect");
      assert.deepEqual(refused, []);
    });

    for (const [name, list] of Object.entries(transports)) {
      test(`a silent server is noticed over ${name}`, async () => {
        const quick = await Peer.start([...official, JSON.stringify({ pingInterval: 300, pingTimeout: 700 })]);
        try {
          const m = manager(quick.url, { transports: list, reconnection: false });
          const s = m.socket("/");
          await next(s, "connect");
          if (name === "upgrade" && m.engine.transport.name !== "websocket") await next(m.engine, "upgrade");
          await next(m, "ping"); // so it answers them
          await next(m, "ping");
          quick.freeze();
          assert.equal((await next(s, "disconnect"))[0], "ping timeout");
        } finally {
          await quick.close();
        }
      });
    }

    if (polls)
      test("a POST holds no more than the server takes", async () => {
        const small = await Peer.start([...official, JSON.stringify({ maxHttpBufferSize: 10_000 })]);
        try {
          const s = manager(small.url, { transports: ["polling"] }).socket("/");
          await next(s, "connect");
          const text = "€".repeat(1000);
          const answers = Array.from({ length: 30 }, (_, n) => s.timeout(5000).emitWithAck("echo", n % 2 ? text : new Uint8Array(3001)));
          assert.equal((await Promise.all(answers)).filter((answer) => answer === text).length, 15);
          s.disconnect();
        } finally {
          await small.close();
        }
      });

    test("nonsense ends the connection, and another one follows", async () => {
      const s = manager(peer.url, { transports: ["websocket"] }).socket("/");
      await next(s, "connect");
      s.emit("talk nonsense");
      const [reason, err] = await next(s, "disconnect");
      assert.equal(reason, "parse error");
      assert.match(err.message, /^invalid packet/);
      await next(s, "connect");
    });

    test("a listener that throws is no parse error", async () => {
      const s = manager(peer.url, { transports: ["websocket"] }).socket("/");
      await next(s, "connect");
      const thrown = new Promise((resolve) => process.setUncaughtExceptionCaptureCallback(resolve));
      s.on("said", () => {
        throw new Error("on purpose");
      });
      s.emit("say");
      assert.equal((await thrown).message, "on purpose");
      process.setUncaughtExceptionCaptureCallback(null);
      assert.equal(await s.emitWithAck("echo", "still here"), "still here");
    });

    test("reserved names are refused", () => {
      const s = manager(peer.url, { autoConnect: false }).socket("/");
      for (const event of ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"]) {
        assert.throws(() => s.emit(event), new RegExp(`^Error: "${event}" is a reserved event name$`));
      }
    });

    test("an attempt takes only so long, and there are only so many", async () => {
      await peer.pause();
      const m = manager(peer.url, { transports: ["websocket"], reconnectionAttempts: 2 });
      const s = m.socket("/");
      const attempts = [];
      m.on("reconnect_attempt", (n) => attempts.push(n));
      s.emit("kept");
      await next(m, "reconnect_failed");
      assert.deepEqual(attempts, [1, 2]);
      assert.equal(s.sendBuffer.length, 1);
      await peer.resume();
    });

    test("an attempt by hand takes the place of the one that waits, and the next loss is noticed", async () => {
      const m = manager(peer.url, { transports: ["websocket"], reconnectionDelay: 60_000, reconnectionDelayMax: 60_000 });
      const s = m.socket("/");
      await next(s, "connect");
      peer.cut();
      await next(s, "disconnect");
      m.open();
      await next(s, "connect");
      m.reconnectionDelay(20);
      peer.cut();
      await next(s, "disconnect");
      await next(s, "connect");
    });

    test("nobody tries again once it was called off", async () => {
      const m = manager(peer.url, { transports: ["websocket"] });
      const s = m.socket("/");
      await next(s, "connect");
      const attempts = [];
      m.on("reconnect_attempt", (n) => attempts.push(n));
      peer.cut();
      await next(s, "disconnect");
      m.reconnection(false);
      s.connect();
      await next(s, "connect");
      m.reconnection(true);
      s.once("disconnect", () => m.once("reconnect_attempt", () => s.disconnect()));
      peer.cut();
      await next(m, "reconnect_attempt");
      assert.equal(s.active, false);
      assert.deepEqual(attempts, [1]);
      assert.notEqual(m.engine.readyState, "opening");
    });

    test("without a transport there is an error", async () => {
      const s = manager(peer.url, { transports: ["pigeon"], reconnection: false }).socket("/");
      assert.deepEqual(await next(s, "connect_error"), ["No transports available"]);
    });
  });
}
