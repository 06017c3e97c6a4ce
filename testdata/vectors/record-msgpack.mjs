// Records msgpack.json with the official parser:
//
//	(cd interop/node && npm ci) && node testdata/vectors/record-msgpack.mjs [--check]
//
// With --check nothing is written; it fails if the file says something else.

import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../interop/node/package.json", import.meta.url));
const { Encoder, Decoder } = require("socket.io-msgpack-parser");
const file = new URL("msgpack.json", import.meta.url);

// What an encoder writes. bin, date, undefined and buffer stand for what JSON has not.
const bin = (...b) => Buffer.from(b);
const long = (n, c = "x") => c.repeat(n);
const event = (...data) => ({ type: 2, data, nsp: "/" });
const encoded = {
  "connect as the client sends it": { type: 0, nsp: "/", data: undefined },
  "connect with auth": { type: 0, data: { token: "123" }, nsp: "/" },
  "connect as the server answers": { type: 0, data: { sid: "abc", pid: undefined }, nsp: "/" },
  "disconnect": { type: 1, nsp: "/chat" },
  "event": event("hello"),
  "event with an id": { type: 2, data: ["hello", 1], nsp: "/", id: 12 },
  "event as the client sends it": { type: 2, data: ["hello"], options: { compress: true }, id: 0, nsp: "/" },
  "event named by a number": event(7, "x"),
  "event in a namespace": { type: 2, data: ["e"], nsp: "/chat" },
  "ack": { type: 3, id: 3, nsp: "/", data: [1, "two", null] },
  "ack without arguments": { type: 3, id: 3, nsp: "/", data: [] },
  "connect error": { type: 4, data: { data: { code: 1 }, message: "no" }, nsp: "/" },
  "connect error as text": { type: 4, data: "no", nsp: "/" },
  "integers": event("n", 0, 1, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, 9007199254740991),
  "negative integers": event("n", -1, -32, -33, -128, -129, -32768, -32769, -2147483648, -2147483649, -9007199254740991),
  "floats": event("n", 0.5, -1.25, 5e-324, 3.141592653589793, NaN, Infinity),
  "strings of each length": event("s", "", long(31), long(32), long(255), long(256), long(300, "ä")),
  "text beyond the basic plane": event("s", "🙂", "ab🙂cd"),
  "constants": event("c", true, false, null),
  "undefined": event("u", undefined, [undefined], { a: undefined, b: 1 }),
  "dates": event("d", new Date(0), new Date(1700000000123), new Date(-1), new Date(8640000000000000)),
  "binary": event("b", bin(), bin(1, 2, 3), Buffer.alloc(255, 7), Buffer.alloc(256, 8)),
  "array buffers": event("b", new Uint8Array([1, 2, 3]).buffer, new ArrayBuffer(300)),
  "nested": event("x", { a: [1, { b: bin(1) }], c: {} }, [[], [[]]]),
  "arrays of each length": event("a", Array(15).fill(1), Array(16).fill(2)),
  "maps of each length": event("m", ...[15, 16, 300].map((n) => Object.fromEntries(Array.from({ length: n }, (_, i) => ["k" + String(i).padStart(3, "0"), i])))),
};

// What a decoder is given.
const hex = (s) => Buffer.from(s.replaceAll(" ", ""), "hex");
const { encode } = createRequire(require.resolve("socket.io-msgpack-parser"))("notepack.io");
const raw = (v) => Buffer.from(encode(v));
const decoded = {
  "nothing": hex(""),
  "not a map": raw([1]),
  "no type": raw({ nsp: "/", data: ["x"] }),
  "type 5": raw({ type: 5, nsp: "/", data: ["x"] }),
  "negative type": raw({ type: -1, nsp: "/", data: ["x"] }),
  "type with a fraction": raw({ type: 1.5, nsp: "/", data: ["x"] }),
  "type as text": raw({ type: "2", nsp: "/", data: ["x"] }),
  "type as a float": hex("83 a474797065 cb4000000000000000 a36e7370 a12f a464617461 91a178"),
  "no namespace": raw({ type: 2, data: ["x"] }),
  "namespace as a number": raw({ type: 2, nsp: 1, data: ["x"] }),
  "connect with a string": raw({ type: 0, nsp: "/", data: "x" }),
  "connect with an array": raw({ type: 0, nsp: "/", data: [] }),
  "connect with binary data": raw({ type: 0, nsp: "/", data: bin(1) }),
  "disconnect with an object": raw({ type: 1, nsp: "/", data: {} }),
  "event without data": raw({ type: 2, nsp: "/" }),
  "event with an object": raw({ type: 2, nsp: "/", data: {} }),
  "ack with null": raw({ type: 3, nsp: "/", data: null, id: 1 }),
  "connect error without data": raw({ type: 4, nsp: "/" }),
  "id as text": raw({ type: 2, nsp: "/", data: ["x"], id: "1" }),
  "id with a fraction": raw({ type: 2, nsp: "/", data: ["x"], id: 1.5 }),
  "id undefined": raw({ type: 2, nsp: "/", data: ["x"], id: undefined }),
  "bytes behind the packet": Buffer.concat([raw({ type: 2, nsp: "/", data: ["x"] }), hex("c0")]),
  "a reserved first byte": hex("c1"),
  "a map that ends early": hex("83 a474797065"),
  "keys twice": hex("84 a474797065 00 a474797065 02 a36e7370 a12f a464617461 91a178"),
};

// What values look like in the file.
function plain(v) {
  if (v === undefined) return { $undefined: true };
  if (typeof v === "number" && !Number.isFinite(v)) return { $number: String(v) };
  if (v instanceof Date) return { $date: v.getTime() };
  if (v instanceof ArrayBuffer) return { $buffer: Buffer.from(v).toString("base64") };
  if (Buffer.isBuffer(v)) return { $binary: v.toString("base64") };
  if (Array.isArray(v)) return v.map(plain);
  if (v && typeof v === "object") return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, plain(x)]));
  return v;
}

function decode(message) {
  const d = new Decoder();
  let packet;
  d.on("decoded", (p) => (packet = p));
  try {
    d.add(message);
  } catch (e) {
    return { error: e.message };
  }
  return { packet: plain(packet) };
}

const out = {
  encode: Object.entries(encoded).map(([name, p]) => ({ name, packet: plain(p), message: Buffer.from(new Encoder().encode(p)[0]).toString("base64") })),
  decode: Object.entries(decoded).map(([name, m]) => ({ name, message: m.toString("base64"), ...decode(m) })),
};
const text = "{\n" + Object.entries(out).map(([k, list]) => `  ${JSON.stringify(k)}: [\n${list.map((c) => "    " + JSON.stringify(c)).join(",\n")}\n  ]`).join(",\n") + "\n}\n";
if (process.argv.includes("--check")) {
  if (readFileSync(file, "utf8") !== text) {
    console.error("msgpack.json is not what the official parser writes: run record-msgpack.mjs");
    process.exit(1);
  }
  console.log(`${out.encode.length + out.decode.length} cases as socket.io-msgpack-parser has them`);
} else {
  writeFileSync(file, text);
}
