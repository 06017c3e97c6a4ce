// Namespaces, what the handshake carries, and refusals.
import assert from "node:assert/strict";
import { findsStatus } from "../lib/client.mjs";
import { request } from "../lib/raw.mjs";
import { event } from "../lib/wait.mjs";

const refusal = (s) => event(s, "connect_error").then(([err]) => err);

export default [
  {
    name: "what a connection handler emits follows the connection",
    async run(t) {
      const s = t.socket();
      const hello = event(s, "hello");
      await event(s, "connect");
      const [{ id, nsp }] = await hello;
      assert.equal(id, s.id);
      assert.equal(nsp, "/");
    },
  },
  {
    name: "handshake: auth, query, header, address",
    tcp: true, // no WebTransport has headers of its own
    modern: true,
    async run(t) {
      const s = t.socket({ auth: { token: "t", deep: { n: 1 } }, query: { who: "a b&c=é" }, extraHeaders: { "x-who": "header", origin: "http://elsewhere.example" } });
      const [{ id, nsp, ...rest }] = await event(s, "hello");
      delete rest[rest.user === undefined ? "user" : ""]; // MessagePack sends undefined
      assert.deepEqual(rest, {
        auth: { token: "t", deep: { n: 1 } },
        query: "a b&c=é",
        header: "header",
        local: true,
        secure: false,
        xdomain: true,
      });
    },
  },
  {
    name: "handshake: no auth is an empty object; auth may be a function",
    modern: true,
    async run(t) {
      const [bare] = await event(t.socket(), "hello");
      assert.deepEqual(bare.auth, {});
      assert.equal(bare.xdomain, false);
      const [asked] = await event(t.socket({ auth: (cb) => setImmediate(cb, { n: 2 }) }), "hello");
      assert.deepEqual(asked.auth, { n: 2 });
    },
  },
  {
    name: "several namespaces on one connection, each with an id of its own",
    modern: true,
    async run(t) {
      const manager = t.manager();
      const names = ["/", "/plain", "/dynamic-7"];
      const sockets = await Promise.all(names.map((nsp) => t.connect({ manager, nsp })));
      assert.equal(new Set(sockets.map((s) => s.id)).size, 3);
      for (const s of sockets) {
        assert.match(s.id, /^[\w-]{20}$/);
        assert.notEqual(s.id, manager.engine.id);
        assert.equal(await s.timeout(5000).emitWithAck("echo", s.nsp), s.nsp);
        await t.server.told({ report: "connection", nsp: s.nsp, id: s.id });
      }
      assert.match(manager.engine.id, /^[\w-]{20}$/);
    },
  },
  {
    name: "binary and acks in a namespace",
    async run(t) {
      const s = await t.connect({ nsp: "/plain" });
      assert.deepEqual(await s.timeout(5000).emitWithAck("echo", { b: Buffer.from([1, 2]) }), { b: Buffer.from([1, 2]) });
    },
  },
  {
    name: "events of one namespace stay in it",
    async run(t) {
      const manager = t.manager();
      const root = await t.connect({ manager });
      const plain = await t.connect({ manager, nsp: "/plain" });
      const room = "room " + root.id;
      await root.emitWithAck("join", room);
      await plain.emitWithAck("join", room);
      const seen = [];
      root.on("said", (v) => seen.push(["/", v]));
      plain.on("said", (v) => seen.push(["/plain", v]));
      await plain.timeout(5000).emitWithAck("send", { from: "namespace", to: [room], event: "said", args: [1] });
      await root.timeout(5000).emitWithAck("send", { from: "namespace", to: [room], event: "said", args: [2] });
      assert.deepEqual(seen, [["/plain", 1], ["/", 2]]);
    },
  },
  {
    name: "invalid namespace",
    modern: true,
    async run(t) {
      const manager = t.manager();
      const good = await t.connect({ manager });
      const s = t.socket({ manager, nsp: "/nowhere" });
      const err = await refusal(s);
      assert.equal(err.message, "Invalid namespace");
      assert.equal(err.data, undefined);
      assert.equal(s.active, false);
      assert.equal(await good.timeout(5000).emitWithAck("echo", "same connection"), "same connection");
    },
  },
  {
    name: "a dynamic namespace exists for names that match and no others",
    modern: true,
    async run(t) {
      const s = await t.connect({ nsp: "/dynamic-101" });
      assert.equal(await s.timeout(5000).emitWithAck("echo", 1), 1);
      assert.equal((await refusal(t.socket({ nsp: "/dynamic-x" }))).message, "Invalid namespace");
    },
  },
  {
    name: "middleware refuses, with data and without",
    modern: true,
    async run(t) {
      const manager = t.manager();
      const good = await t.connect({ manager });
      const none = await refusal(t.socket({ manager, nsp: "/guarded" }));
      assert.equal(none.message, "No token provided");
      assert.deepEqual(none.data, { code: 401, given: null });

      const bad = await refusal(t.socket({ nsp: "/guarded", auth: { token: "bad" } }));
      assert.equal(bad.message, "Invalid token");
      assert.deepEqual(bad.data, { code: 401, given: "bad" });

      const silent = await refusal(t.socket({ nsp: "/guarded", auth: { token: "silent" } }));
      assert.equal(silent.message, "Invalid token");
      assert.equal(silent.data, undefined);
      assert.equal(await good.timeout(5000).emitWithAck("echo", "same connection"), "same connection");
    },
  },
  {
    name: "middleware admits, and a refused socket may try again on the same connection",
    modern: true,
    async run(t) {
      const manager = t.manager();
      await t.connect({ manager }); // without it the client would leave
      const s = t.socket({ manager, nsp: "/guarded", auth: { token: "bad" } });
      await refusal(s);
      const { id } = manager.engine;
      s.auth = { token: "good" };
      const hello = event(s, "hello");
      s.connect();
      assert.equal((await hello)[0].user, "ada");
      assert.equal(s.io.engine.id, id);
    },
  },
  {
    name: "handshake refused with 401 and with 503",
    xhr: true,
    tcp: true, // the official client waits for its timeout
    async run(t) {
      for (const status of [401, 503]) {
        const s = t.socket({ query: { refuse: status } });
        const err = await refusal(s);
        if (t.transport === "websocket") {
          assert.equal(err.message, "websocket error");
          if (findsStatus) assert.equal(err.description, status);
          else assert.equal(err.description.message, `Unexpected server response: ${status}`);
        } else {
          assert.equal(err.message, "xhr poll error");
          assert.equal(err.description, status);
          const raw = await request(`${t.server.url}/socket.io/?EIO=4&transport=polling&refuse=${status}`);
          assert.deepEqual([raw.status, raw.body], [status, `refused with ${status}`]);
        }
        if (!t.old) assert.equal(s.active, true); // it would try again
      }
    },
  },
  {
    name: "handshake forbidden by the hook",
    xhr: true,
    tcp: true, // the same
    async run(t) {
      for (const forbid of ["plain", "worded"]) {
        const err = await refusal(t.socket({ query: { forbid } }));
        if (t.transport === "websocket") {
          if (findsStatus) assert.equal(err.description, 403);
          else assert.equal(err.description.message, "Unexpected server response: 400");
        } else {
          assert.equal(err.description, 403);
          const raw = await request(`${t.server.url}/socket.io/?EIO=4&transport=polling&forbid=${forbid}`);
          assert.deepEqual(JSON.parse(raw.body), { code: 4, message: forbid === "plain" ? "Forbidden" : "not today" });
        }
      }
    },
  },
  {
    name: "a namespace is left and joined again",
    async run(t) {
      const manager = t.manager();
      await t.connect({ manager });
      const s = await t.connect({ manager, nsp: "/plain" });
      const first = s.id;
      s.disconnect();
      await t.server.told({ report: "disconnect", id: first, reason: "client namespace disconnect" });
      s.connect();
      await event(s, "connect");
      if (!t.old) assert.notEqual(s.id, first);
      assert.equal(await s.timeout(5000).emitWithAck("echo", 1), 1);
    },
  },
];
