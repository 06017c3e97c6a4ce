// Events and acknowledgements, with every kind of argument, both ways.
import assert from "node:assert/strict";
import { event } from "../lib/wait.mjs";

const values = [
  null,
  true,
  false,
  0,
  -1,
  3.25,
  1e21,
  5e-324,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  "",
  "plain",
  'quotes " and \\ and /',
  "control \u0000\u0001\b\f\n\r\t\u001e\u001f\u007f",
  "separators \u2028 \u2029",
  "é ß 中文 日本語 עברית",
  "astral \u{1F600}\u{10FFFF}",
  "<script>&amp;</script>",
  [],
  [[], [[]], null],
  {},
  { "": 0, a: { b: { c: [1, { d: null }] } }, "key with \" and \u{1F600}": true },
  // Names that mean something to JavaScript or to the protocol.
  { constructor: 1, hasOwnProperty: 2, toString: "x", type: 2, nsp: "/", num: 0 },
];

// The official MessagePack encoder loses integers from 2^64 on.
const valuesOf = (t) => (t.parser === "msgpack" ? values.filter((v) => v !== 1e21) : values);

// Nothing empty where that is a frame of no length, which the official parser takes for
// an error.
const binary = (t) => ({
  bytes: Buffer.from([0, 1, 2, 0xfe, 0xff]),
  nested: [{ deep: { er: Buffer.from("text as bytes") } }, "between", Buffer.alloc(t.last === "webtransport" ? 1 : 0)],
  plain: { n: 1, _placeholder: false },
  big: Buffer.alloc(70_000, 7), // needs the 64-bit length of a frame
});

const binaryArgs = (t) => [binary(t), "second", Buffer.from([9]), [Buffer.from([8])]];

export default [
  {
    name: "an ack brings back every JSON value",
    async run(t) {
      const s = await t.connect();
      for (const v of valuesOf(t)) assert.deepEqual(await s.timeout(5000).emitWithAck("echo", v), v);
    },
  },
  {
    name: "an event brings back every JSON value as arguments",
    async run(t) {
      const s = await t.connect();
      const answer = event(s, "echo");
      s.emit("echo", ...valuesOf(t));
      assert.deepEqual(await answer, valuesOf(t));
    },
  },
  {
    name: "event without arguments",
    async run(t) {
      const s = await t.connect();
      const answer = event(s, "echo");
      s.emit("echo");
      assert.deepEqual(await answer, []);
    },
  },
  {
    name: "ack with several arguments and with none",
    async run(t) {
      const s = await t.connect();
      const ack = (...args) => new Promise((resolve) => s.emit("echo", ...args, (...back) => resolve(back)));
      assert.deepEqual(await ack(), []);
      assert.deepEqual(await ack(1, "two", [3], { four: 4 }, null), [1, "two", [3], { four: 4 }, null]);
    },
  },
  {
    name: "undefined, dates and toJSON as JSON has them",
    parsers: ["json"],
    async run(t) {
      const s = await t.connect();
      const when = new Date(86_400_000);
      const back = await s.timeout(5000).emitWithAck("echo", { u: undefined, a: [undefined], when, own: { toJSON: () => "mine" } });
      assert.deepEqual(back, { a: [null], when: when.toJSON(), own: "mine" });
    },
  },
  {
    name: "numbers and odd strings as event names",
    async run(t) {
      const s = await t.connect();
      for (const name of ["", "with \"quotes\"", "日本", "0", "error", "message", "ping", "open", "close", "data"]) {
        const answer = event(s, name);
        s.emit("send", { event: name, args: [name], to: [s.id], from: "server" });
        assert.deepEqual(await answer, [name]);
      }
    },
  },
  {
    name: "nested binary in an event, both ways",
    async run(t) {
      const s = await t.connect();
      const answer = event(s, "echo");
      s.emit("echo", ...binaryArgs(t));
      assert.deepEqual(await answer, binaryArgs(t));
    },
  },
  {
    name: "nested binary in an ack, both ways",
    async run(t) {
      const s = await t.connect();
      const back = await new Promise((resolve) => s.emit("echo", ...binaryArgs(t), (...args) => resolve(args)));
      assert.deepEqual(back, binaryArgs(t));
      // From the server, answered by the client.
      s.on("question", (...args) => {
        const answer = args.pop();
        answer(...args);
      });
      const { answer } = await s.timeout(5000).emitWithAck("ask", { event: "question", args: binaryArgs(t), timeout: 4000 });
      assert.deepEqual(answer, binaryArgs(t));
    },
  },
  {
    name: "undefined, dates and toJSON as MessagePack has them",
    parsers: ["msgpack"],
    async run(t) {
      const s = await t.connect();
      const when = new Date(1_700_000_000_123);
      const back = await s.timeout(5000).emitWithAck("echo", { u: undefined, a: [null], when, own: { toJSON: () => "mine" }, nan: NaN });
      delete back.u; // it may be gone, or there and undefined
      assert.deepEqual(back, { a: [null], when, own: "mine", nan: NaN });
      assert.deepEqual([...new Uint8Array(await s.timeout(5000).emitWithAck("echo", new Uint8Array([1, 2]).buffer))], [1, 2]);
    },
  },
  {
    name: "typed arrays and ArrayBuffer arrive as bytes",
    parsers: ["json"], // MessagePack keeps an ArrayBuffer one, and all of it in place of a view
    async run(t) {
      const s = await t.connect();
      const floats = new Float64Array([1.5, -2]);
      const back = await s.timeout(5000).emitWithAck("echo", [floats, floats.buffer, new Uint8Array([1, 2, 3, 4]).subarray(1, 3)]);
      assert.deepEqual(back, [Buffer.from(floats.buffer), Buffer.from(floats.buffer), Buffer.from([2, 3])]);
    },
  },
  {
    name: "ten attachments",
    async run(t) {
      const s = await t.connect();
      const ten = Array.from({ length: 10 }, (_, i) => Buffer.alloc(i + 1, i));
      assert.deepEqual(await s.timeout(5000).emitWithAck("echo", ten), ten);
    },
  },
  {
    name: "binary over base64",
    over: ["polling", "upgrade"],
    async run(t) {
      const s = await t.connect({ forceBase64: true });
      const back = await new Promise((resolve) => s.emit("echo", ...binaryArgs(t), (...args) => resolve(args)));
      assert.deepEqual(back, binaryArgs(t));
    },
  },
  {
    name: "text and binary interleave in order",
    async run(t) {
      const s = await t.connect();
      const seen = [];
      const all = new Promise((resolve) => s.on("echo", (v) => seen.push(v) === 60 && resolve()));
      const sent = Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? Buffer.from([i]) : i % 3 === 1 ? i : { i, b: Buffer.from("b" + i) }));
      for (const v of sent) s.emit("echo", v);
      await all;
      assert.deepEqual(seen, sent);
    },
  },
  {
    name: "server asks, client answers",
    async run(t) {
      const s = await t.connect();
      s.on("question", (a, b, answer) => answer({ sum: a + b }, "and more"));
      const { answer } = await s.timeout(5000).emitWithAck("ask", { event: "question", args: [1, 2], timeout: 4000 });
      assert.deepEqual(answer, [{ sum: 3 }, "and more"]);
    },
  },
  {
    name: "server asks, client does not answer in time",
    async run(t) {
      const s = await t.connect();
      let late;
      s.on("question", (answer) => (late = answer));
      assert.deepEqual(await s.timeout(8000).emitWithAck("ask", { event: "question", args: [], timeout: 100 }), { timeout: true });
      late("too late"); // ignored, and nothing breaks
      assert.equal(await s.timeout(5000).emitWithAck("echo", "still here"), "still here");
    },
  },
  {
    name: "client asks, server does not answer in time",
    async run(t) {
      const s = await t.connect();
      await assert.rejects(s.timeout(50).emitWithAck("hold", 1), /operation has timed out/);
      assert.equal(await s.timeout(5000).emitWithAck("release"), 1); // the answer comes late and is ignored
      assert.equal(await s.timeout(5000).emitWithAck("echo", 2), 2);
    },
  },
  {
    name: "acks may overtake each other",
    async run(t) {
      const s = await t.connect();
      const order = [];
      const held = ["first", "second"].map((v) => s.timeout(5000).emitWithAck("hold", v).then((back) => order.push(back)));
      order.push(await s.timeout(5000).emitWithAck("release"));
      await Promise.all(held);
      assert.deepEqual(order, [2, "first", "second"]);
    },
  },
  {
    name: "an ack that the client awaits inside the handler of an event",
    async run(t) {
      const s = await t.connect();
      s.on("question", async (answer) => answer(await s.emitWithAck("echo", "inner")));
      assert.deepEqual(await s.timeout(8000).emitWithAck("ask", { event: "question", args: [], timeout: 6000 }), { answer: ["inner"] });
    },
  },
  {
    name: "retries deliver in order and once when nothing is lost",
    modern: true,
    async run(t) {
      const s = await t.connect({ retries: 3, ackTimeout: 4000 });
      await Promise.all([..."abc"].map((c) => s.emitWithAck("echo", c).then((back) => assert.equal(back, c))));
    },
  },
  {
    name: "catch-all listeners on both sides and in both directions",
    modern: true,
    async run(t) {
      const s = t.socket();
      await event(s, "hello"); // it may come later than CONNECT
      const seen = [];
      s.onAny((...args) => seen.push(["in", ...args]));
      s.onAnyOutgoing((name) => seen.push(["out", name]));
      await s.timeout(5000).emitWithAck("tap");
      const answer = event(s, "echo");
      s.emit("echo", 1, { two: 2 });
      await answer;
      s.emit("unheard of", "x");
      const tapped = await s.timeout(5000).emitWithAck("tapped");
      assert.deepEqual(tapped, [
        ["in", "echo", [1, { two: 2 }]],
        ["out", "echo", [1, { two: 2 }]],
        ["in", "unheard of", ["x"]],
        ["in", "tapped", []],
      ]);
      assert.deepEqual(seen, [["out", "tap"], ["out", "echo"], ["in", "echo", 1, { two: 2 }], ["out", "unheard of"], ["out", "tapped"]]);
    },
  },
  {
    name: "packet middleware replaces an argument",
    async run(t) {
      const s = await t.connect();
      assert.deepEqual(await s.timeout(5000).emitWithAck("rewrite", "me"), { seen: "me" });
    },
  },
  {
    name: "packet middleware refuses; error is an ordinary event",
    async run(t) {
      const s = await t.connect();
      const refused = event(s, "error");
      let answered = false;
      s.emit("forbidden", "fruit", () => (answered = true));
      assert.deepEqual(await refused, [{ message: "not allowed: fruit" }]);
      await t.server.told({ report: "error", id: s.id, message: "not allowed: fruit" });
      assert.equal(await s.timeout(5000).emitWithAck("echo", "still here"), "still here");
      assert.equal(answered, false);
    },
  },
  {
    name: "volatile arrives on an idle connection and is not kept for a lost one",
    modern: true,
    async run(t) {
      const s = await t.settled();
      const seen = [];
      s.on("volatile", (v) => seen.push(v));
      // Until the transport can take it, a volatile packet may be dropped; on
      // a quiet connection it cannot be so for ever.
      for (let i = 0; i < 50 && seen.length === 0; i++) {
        s.emit("volatile", i);
        await s.timeout(5000).emitWithAck("echo", i);
      }
      assert.notEqual(seen.length, 0, "fifty volatile packets on a quiet connection and none arrived");

      const offline = t.socket();
      offline.disconnect();
      offline.volatile.emit("count", 0);
      offline.emit("count", 0);
      offline.connect();
      await event(offline, "connect");
      assert.deepEqual(await offline.timeout(5000).emitWithAck("counted"), { received: 1, ordered: true });
    },
  },
  {
    name: "what was emitted before the connection arrives after it, in order",
    async run(t) {
      const s = t.socket();
      for (let i = 0; i < 20; i++) s.emit("count", i);
      assert.deepEqual(await s.timeout(8000).emitWithAck("counted"), { received: 20, ordered: true });
    },
  },
  {
    name: "a thousand messages each way, in order",
    async run(t) {
      const s = await t.connect();
      let next = 0;
      s.on("n", (n) => assert.equal(n, next++));
      for (let i = 0; i < 1000; i++) s.emit("count", i);
      assert.equal(await s.timeout(20_000).emitWithAck("flood", { event: "n", count: 1000 }), 1000);
      assert.equal(next, 1000);
      assert.deepEqual(await s.timeout(5000).emitWithAck("counted"), { received: 1000, ordered: true });
    },
  },
  {
    name: "half a megabyte of text and of bytes",
    xhr: true, // a form makes more than the limit of it
    heavy: true,
    async run(t) {
      const s = await t.connect();
      const text = "é".repeat(250_000);
      assert.equal(await s.timeout(10_000).emitWithAck("echo", text), text);
      const bytes = Buffer.alloc(500_000, 3);
      assert.deepEqual(await s.timeout(10_000).emitWithAck("echo", bytes), bytes);
    },
  },
];
