// Rooms, broadcasts and broadcasts with acknowledgements.
import assert from "node:assert/strict";

let unique = 0;

// group connects n sockets that write down what they hear of "said", and
// resolves with them and a room name that nobody else uses. settle is over
// when everything sent before it has been heard.
async function group(t, n) {
  const room = `room ${process.pid} ${t.transport} ${unique++}`;
  const sockets = await Promise.all(Array.from({ length: n }, () => t.connect()));
  const heard = sockets.map(() => []);
  sockets.forEach((s, i) => s.on("said", (...args) => heard[i].push(args)));
  const settle = () => Promise.all(sockets.map((s) => s.timeout(5000).emitWithAck("echo")));
  const join = (i, ...rooms) => sockets[i].timeout(5000).emitWithAck("join", rooms);
  const send = (i, fields) => sockets[i].timeout(5000).emitWithAck("send", { event: "said", args: ["x"], ...fields });
  const counts = async () => {
    await settle();
    return heard.splice(0, n, ...sockets.map(() => [])).map((h) => h.length);
  };
  return { room, sockets, heard, settle, join, send, counts };
}

export default [
  {
    name: "join and leave",
    async run(t) {
      const s = await t.connect();
      assert.deepEqual(await s.emitWithAck("join", "b"), ["b"]);
      assert.deepEqual(await s.emitWithAck("join", ["a", "c", "b"]), ["a", "b", "c"]);
      assert.deepEqual(await s.emitWithAck("leave", "b"), ["a", "c"]);
      assert.deepEqual(await s.emitWithAck("leave", "never in it"), ["a", "c"]);
    },
  },
  {
    name: "to a room: members hear it, the sender and others do not",
    async run(t) {
      const g = await group(t, 4);
      for (const i of [0, 1, 2]) await g.join(i, g.room);
      await g.send(0, { to: [g.room] });
      assert.deepEqual(await g.counts(), [0, 1, 1, 0]);
      await g.send(3, { to: [g.room] });
      assert.deepEqual(await g.counts(), [1, 1, 1, 0]);
      await g.send(0, { from: "namespace", to: [g.room] });
      assert.deepEqual(await g.counts(), [1, 1, 1, 0]);
      await g.send(0, { from: "server", to: [g.room] });
      assert.deepEqual(await g.counts(), [1, 1, 1, 0]);
    },
  },
  {
    name: "several rooms are a union and each socket hears it once",
    async run(t) {
      const g = await group(t, 4);
      await g.join(0, g.room + "a");
      await g.join(1, g.room + "a", g.room + "b");
      await g.join(2, g.room + "b");
      await g.send(3, { to: [g.room + "a", g.room + "b", g.room + "nobody"] });
      assert.deepEqual(await g.counts(), [1, 1, 1, 0]);
    },
  },
  {
    name: "except wins over to",
    async run(t) {
      const g = await group(t, 4);
      for (const i of [0, 1, 2, 3]) await g.join(i, g.room);
      await g.join(1, g.room + " quiet");
      await g.send(0, { from: "server", to: [g.room], except: [g.room + " quiet", g.sockets[2].id] });
      assert.deepEqual(await g.counts(), [1, 0, 0, 1]);
    },
  },
  {
    name: "to a socket by its id",
    async run(t) {
      const g = await group(t, 3);
      await g.send(0, { to: [g.sockets[2].id] });
      assert.deepEqual(await g.counts(), [0, 0, 1]);
      // A socket's own broadcasts never reach it, not even by its id.
      await g.send(0, { to: [g.sockets[0].id] });
      assert.deepEqual(await g.counts(), [0, 0, 0]);
    },
  },
  {
    name: "everybody in a namespace, and everybody but oneself",
    async run(t) {
      const nsp = `/dynamic-${process.pid}${Math.floor(Math.random() * 1e9)}`; // nobody else's
      const all = await Promise.all([1, 2, 3].map(() => t.connect({ nsp })));
      const heard = all.map(() => 0);
      all.forEach((s, i) => s.on("said", () => heard[i]++));
      await all[0].timeout(5000).emitWithAck("send", { from: "namespace", event: "said", args: [] });
      await all[1].timeout(5000).emitWithAck("send", { flags: ["broadcast"], event: "said", args: [] });
      await all[2].timeout(5000).emitWithAck("send", { from: "namespace", flags: ["local"], event: "said", args: [] });
      for (const s of all) await s.timeout(5000).emitWithAck("echo");
      assert.deepEqual(heard, [3, 2, 3]);
    },
  },
  {
    name: "a binary broadcast",
    async run(t) {
      const g = await group(t, 3);
      for (const i of [0, 1, 2]) await g.join(i, g.room);
      const value = { b: Buffer.from([1, 2, 3]), n: [1, Buffer.from("x")] };
      await g.send(0, { to: [g.room], args: [value, "after"] });
      await g.settle();
      assert.deepEqual(g.heard, [[], [[value, "after"]], [[value, "after"]]]);
    },
  },
  {
    name: "broadcasts and own messages keep one order",
    async run(t) {
      const g = await group(t, 2);
      await g.join(1, g.room);
      const seen = [];
      g.sockets[1].on("n", (n) => seen.push(n));
      for (let n = 0; n < 100; n += 2) {
        g.sockets[1].emit("send", { from: "server", to: [g.room], event: "n", args: [n] });
        g.sockets[1].emit("send", { from: "server", to: [g.sockets[1].id], event: "n", args: [n + 1] });
      }
      await g.settle();
      assert.deepEqual(seen, Array.from({ length: 100 }, (_, n) => n));
    },
  },
  {
    name: "broadcast with acks: all answer",
    async run(t) {
      const g = await group(t, 3);
      for (const i of [0, 1, 2]) {
        await g.join(i, g.room);
        g.sockets[i].on("question", (v, answer) => answer({ from: i, v, bytes: Buffer.from([i]) }, "second is dropped"));
      }
      const r = await g.sockets[0].timeout(8000).emitWithAck("ask all", { from: "server", to: [g.room], timeout: 5000, event: "question", args: ["?"] });
      assert.equal(r.missing, false);
      r.responses.sort((a, b) => a.from - b.from);
      assert.deepEqual(r.responses, [0, 1, 2].map((from) => ({ from, v: "?", bytes: Buffer.from([from]) })));
    },
  },
  {
    name: "broadcast with acks: one is silent, one is the sender",
    async run(t) {
      const g = await group(t, 4);
      for (const i of [0, 1, 2, 3]) {
        await g.join(i, g.room);
        if (i !== 2) g.sockets[i].on("question", (answer) => answer(i));
      }
      const r = await g.sockets[0].timeout(8000).emitWithAck("ask all", { to: [g.room], timeout: 700, event: "question", args: [] });
      assert.equal(r.missing, true);
      assert.deepEqual(r.responses.sort(), [1, 3]);
    },
  },
  {
    name: "broadcast with acks: nobody there",
    async run(t) {
      const g = await group(t, 1);
      const r = await g.sockets[0].timeout(8000).emitWithAck("ask all", { from: "server", to: [g.room], timeout: 5000, event: "question", args: [] });
      assert.deepEqual(r, { responses: [], missing: false });
    },
  },
  {
    name: "fetch, join, leave and disconnect the members of a room",
    async run(t) {
      const g = await group(t, 3);
      await g.join(0, g.room);
      await g.join(1, g.room);
      const ids = (...which) => which.map((i) => g.sockets[i].id).sort();
      const fetch = (room) => g.sockets[2].timeout(5000).emitWithAck("fetch", { rooms: [room] });
      assert.deepEqual(await fetch(g.room), ids(0, 1));
      await g.sockets[2].timeout(5000).emitWithAck("members join", { rooms: [g.room], into: [g.room + "2"] });
      assert.deepEqual(await fetch(g.room + "2"), ids(0, 1));
      await g.sockets[2].timeout(5000).emitWithAck("members leave", { rooms: [g.sockets[0].id], from: [g.room + "2"] });
      assert.deepEqual(await fetch(g.room + "2"), ids(1));
      const gone = Promise.all([0, 1].map((i) => new Promise((resolve) => g.sockets[i].once("disconnect", resolve))));
      g.sockets[2].emit("members disconnect", { rooms: [g.room], close: false });
      assert.deepEqual(await gone, ["io server disconnect", "io server disconnect"]);
      assert.deepEqual(await fetch(g.room), []);
    },
  },
  {
    name: "rooms are empty after a disconnect, not before it",
    async run(t) {
      const s = await t.connect();
      const { id } = s;
      await s.emitWithAck("join", ["one", "two"]);
      s.disconnect();
      const before = await t.server.told({ report: "disconnecting", id });
      const after = await t.server.told({ report: "disconnect", id });
      assert.deepEqual(before.rooms, ["one", "two"]);
      assert.deepEqual(after.rooms, []);
    },
  },
];
