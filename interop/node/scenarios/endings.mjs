// How a connection ends, and what each side is told; and how it comes back.
import assert from "node:assert/strict";
import { msgpack } from "../lib/client.mjs";
import { frame } from "../lib/proxy.mjs";
import { RawPolling, RawWebSocket } from "../lib/raw.mjs";
import { event, within } from "../lib/wait.mjs";

const impatient = { pingInterval: 300, pingTimeout: 200 };

// ended resolves with the client's reason, and the server's for the same
// socket.
async function ended(t, s, server = t.server) {
  const { id, nsp } = s;
  const [client] = await event(s, "disconnect");
  const { reason } = await server.told({ report: "disconnect", nsp, id });
  return [client, reason];
}

// cutUntil cuts the connections again and again until something has happened: a cut
// between two polls goes unnoticed. It cuts when all is still, as a poll has reached the
// server then: of one that was cut on its way there only the client knows.
async function cutUntil(p, happened) {
  let over = false;
  const end = happened.finally(() => (over = true));
  while (!over) {
    await Promise.race([p.still(), end]);
    if (over) break;
    p.cut();
    await Promise.race([new Promise((r) => setTimeout(r, 20)), end]);
  }
  await end;
}

export default [
  {
    name: "server disconnects one namespace, the connection stays",
    async run(t) {
      const manager = t.manager();
      const root = await t.connect({ manager });
      const s = await t.connect({ manager, nsp: "/plain" });
      const end = ended(t, s);
      s.emit("kick", { close: false });
      assert.deepEqual(await end, ["io server disconnect", "server namespace disconnect"]);
      if (!t.old) assert.equal(s.active, false);
      assert.equal(await root.timeout(5000).emitWithAck("echo", 1), 1);
      s.connect();
      await event(s, "connect");
    },
  },
  {
    name: "server disconnects and closes the connection",
    async run(t) {
      const manager = t.manager();
      const root = await t.connect({ manager });
      const s = await t.connect({ manager, nsp: "/plain" });
      const ends = Promise.all([ended(t, s), ended(t, root)]);
      s.emit("kick", { close: true });
      assert.deepEqual(await ends, [
        ["io server disconnect", "server namespace disconnect"],
        ["io server disconnect", "server namespace disconnect"],
      ]);
    },
  },
  {
    name: "client leaves one namespace, the connection stays",
    async run(t) {
      const manager = t.manager();
      const root = await t.connect({ manager });
      const s = await t.connect({ manager, nsp: "/plain" });
      const end = ended(t, s);
      s.disconnect();
      assert.deepEqual(await end, ["io client disconnect", "client namespace disconnect"]);
      assert.equal(await root.timeout(5000).emitWithAck("echo", 1), 1);
    },
  },
  {
    name: "client leaves its last namespace",
    tcp: true, // the end of a session throws away what was written just before
    async run(t) {
      const s = await t.connect();
      const end = ended(t, s);
      s.disconnect();
      assert.deepEqual(await end, ["io client disconnect", "client namespace disconnect"]);
    },
  },
  {
    name: "client closes the engine",
    async run(t) {
      const s = await t.settled();
      const end = ended(t, s);
      s.io.engine.close();
      assert.deepEqual(await end, ["forced close", "transport close"]);
    },
  },
  {
    name: "the network cuts the connection",
    tcp: true,
    async run(t) {
      const p = await t.proxy();
      const s = await t.settled({ url: p.url });
      assert.equal(await s.timeout(5000).emitWithAck("echo", 1), 1);
      const end = ended(t, s);
      // The close that a client sends then could reach the server before news of the cut.
      s.once("disconnect", () => p.sever());
      await cutUntil(p, end);
      assert.deepEqual(
        await end,
        t.transport === "polling" ? ["transport error", "transport error"] : ["transport close", "transport close"],
      );
    },
  },
  {
    name: "the network swallows everything: both sides time out",
    tcp: true,
    // The official server forgets, at the upgrade, to wait for the pings of an
    // old client.
    oldOver: ["websocket", "polling"],
    options: impatient,
    async run(t) {
      const p = await t.proxy();
      const s = await t.settled({ url: p.url });
      assert.equal(await s.timeout(5000).emitWithAck("echo", 1), 1);
      const end = ended(t, s);
      p.freeze();
      assert.deepEqual(await end, ["ping timeout", "ping timeout"]);
    },
  },
  {
    name: "the server hangs: the client times out",
    options: impatient,
    own: true,
    async run(t) {
      const s = await t.settled();
      const end = event(s, "disconnect");
      t.server.freeze();
      t.defer(() => t.server.thaw());
      assert.equal((await end)[0], "ping timeout");
    },
  },
  {
    name: "the client does not answer pings",
    parsers: ["json"], // its own words are
    options: impatient,
    over: ["websocket", "polling"],
    async run(t) {
      const began = performance.now();
      let id;
      if (t.transport === "websocket") {
        const w = await RawWebSocket.open(t.server);
        id = await w.join();
        await w.until("2");
        assert.deepEqual(await w.ended(), { code: 1005, reason: "" });
      } else {
        const p = await RawPolling.open(t.server);
        id = await p.join();
        await p.drain("2");
        await t.server.told({ report: "disconnect", id });
        const { code, message } = JSON.parse((await p.poll()).body);
        assert.deepEqual([code, message], [1, "Session ID unknown"]);
      }
      await t.server.told({ report: "disconnect", id, reason: "ping timeout" });
      assert.ok(performance.now() - began >= 490, "before pingInterval + pingTimeout were over");
    },
  },
  {
    name: "pongs keep an idle connection alive",
    modern: true, // an old client pings: it has a scenario of its own
    options: impatient,
    async run(t) {
      const s = await t.settled();
      let pings = 0;
      await within(10_000, "five pings", new Promise((resolve) => s.io.on("ping", () => ++pings === 5 && resolve())));
      assert.equal(s.connected, true);
      assert.equal(await s.timeout(5000).emitWithAck("echo", 1), 1);
    },
  },
  {
    name: "the server's bytes make no packet: the client gives up",
    tcp: true,
    modern: true,
    over: ["websocket", "upgrade"],
    async run(t) {
      const p = await t.proxy();
      const s = await t.settled({ url: p.url });
      const end = ended(t, s);
      p.toClient(frame('42["not json', false));
      assert.deepEqual(await end, ["parse error", "transport close"]);
    },
  },
  {
    name: "the client's bytes make no Engine.IO packet: the server gives up",
    tcp: true,
    over: ["websocket", "upgrade"],
    async run(t) {
      const p = await t.proxy();
      const s = await t.settled({ url: p.url });
      // An echo first: by then the server has got the client's "5".
      assert.equal(await s.timeout(5000).emitWithAck("echo", 1), 1);
      const end = ended(t, s);
      p.toServer(frame("x", true));
      assert.deepEqual(await end, ["transport close", "parse error"]);
    },
  },
  {
    name: "the client's bytes make no Socket.IO packet: the server gives up",
    tcp: true,
    over: ["websocket", "upgrade"],
    async run(t) {
      const p = await t.proxy();
      const s = await t.settled({ url: p.url });
      // An echo first: by then the server has got the client's "5".
      assert.equal(await s.timeout(5000).emitWithAck("echo", 1), 1);
      const end = ended(t, s);
      p.toServer(frame('42["not json', true));
      assert.deepEqual(await end, ["transport close", "forced close"]);
    },
  },
  {
    name: "the server shuts down",
    own: true,
    async run(t) {
      const s = await t.settled();
      assert.equal(await s.timeout(5000).emitWithAck("echo", 1), 1);
      const end = ended(t, s);
      await t.server.command("shutdown");
      const [client, server] = await end;
      // The official server races its last packet against the end of the poll.
      assert.match(client, t.transport === "polling" ? /^transport (close|error)$/ : /^transport close$/);
      assert.equal(server, "server shutting down");
      if (!t.old) assert.equal(s.active, true); // and would come back
    },
  },
  {
    name: "a client with another parser joins nothing and is closed",
    modern: true,
    over: ["websocket", "polling"],
    async run(t) {
      const manager = t.manager({ parser: t.parser === "msgpack" ? undefined : msgpack });
      const s = manager.socket("/");
      let joined = false;
      s.on("connect", () => (joined = true));
      const [reason] = await event(manager, "close");
      assert.match(reason, /^transport (close|error)$/);
      assert.equal(joined, false);
      // Others do not notice.
      assert.equal(await (await t.connect()).timeout(5000).emitWithAck("echo", 1), 1);
    },
  },
  {
    name: "pending acks end with the connection",
    modern: true,
    async run(t) {
      const s = await t.connect();
      const pending = s.timeout(30_000).emitWithAck("hold", "never");
      pending.catch(() => {});
      await s.timeout(5000).emitWithAck("echo", 1);
      s.emit("kick", { close: true });
      await assert.rejects(within(5000, "the pending ack", pending), /socket has been disconnected/);
    },
  },
  {
    name: "a client that joins no namespace is closed",
    options: { connectTimeout: 300 },
    over: ["websocket", "polling"],
    async run(t) {
      if (t.transport === "websocket") {
        const w = await RawWebSocket.open(t.server);
        assert.deepEqual(await w.ended(), { code: 1005, reason: "" });
      } else {
        const p = await RawPolling.open(t.server);
        assert.equal((await p.poll()).body, "1");
        assert.equal((await p.poll()).status, 400);
      }
    },
  },
  {
    name: "the server dies and another starts on its port",
    tcp: true, // QUIC tells of that by its silence
    own: true,
    async run(t) {
      const s = await t.settled({ reconnection: true });
      const first = s.id;
      const gone = event(s, "disconnect");
      await t.server.kill();
      const [reason] = await gone;
      assert.equal(reason, t.transport === "polling" ? "transport error" : "transport close");
      for (let i = 0; i < 5; i++) s.emit("count", i); // kept for later

      const again = event(s, "connect", 20_000);
      const second = await t.start({ port: t.server.port });
      await again;
      assert.notEqual(s.id, first);
      await second.told({ report: "connection", id: s.id });
      assert.deepEqual(await s.timeout(5000).emitWithAck("counted"), { received: 5, ordered: true });
    },
  },
  {
    name: "the server shuts down and another starts on its port",
    own: true,
    async run(t) {
      const manager = t.manager({ reconnection: true });
      const root = await t.settled({ manager });
      const plain = await t.connect({ manager, nsp: "/plain" });
      const attempts = [];
      manager.on("reconnect_attempt", (n) => attempts.push(n));
      const gone = Promise.all([event(root, "disconnect"), event(plain, "disconnect")]);
      await t.server.command("shutdown");
      await gone;
      await t.server.exited;
      const back = Promise.all([event(root, "connect", 20_000), event(plain, "connect", 20_000), event(manager, "reconnect", 20_000)]);
      await t.start({ port: t.server.port });
      await back;
      assert.equal(attempts[0], 1);
      assert.equal(await root.timeout(5000).emitWithAck("echo", 1), 1);
      assert.equal(await plain.timeout(5000).emitWithAck("echo", 2), 2);
    },
  },
  {
    name: "the network cuts the connection and the client comes back through it",
    tcp: true,
    options: impatient, // between two polls only the heartbeat tells the server
    async run(t) {
      const p = await t.proxy();
      const s = await t.settled({ url: p.url, reconnection: true });
      for (let round = 0; round < 3; round++) {
        const { id } = s;
        const gone = event(s, "disconnect");
        const back = gone.then(() => event(s, "connect"));
        await cutUntil(p, gone);
        await back;
        await t.server.told({ report: "disconnect", id });
        assert.equal(await s.timeout(5000).emitWithAck("echo", round), round);
      }
    },
  },
];
