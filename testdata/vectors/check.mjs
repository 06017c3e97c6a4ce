// Holds packets.json and payloads.json against the official parsers.
//
//   (cd interop/node && npm ci) && node testdata/vectors/check.mjs

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../interop/node/package.json", import.meta.url));
const viaServer = createRequire(require.resolve("socket.io"));
const { Encoder, Decoder, PacketType } = viaServer("socket.io-parser");
const engine = createRequire(viaServer.resolve("engine.io"))("engine.io-parser");

const read = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url), "utf8"));

// {"$binary": base64} in a value stands for a Buffer.
function revive(v) {
  if (v === null || typeof v !== "object") return v;
  if (typeof v.$binary === "string") return Buffer.from(v.$binary, "base64");
  if (Array.isArray(v)) return v.map(revive);
  return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, revive(x)]));
}
const message = (m) => (typeof m === "string" ? m : Buffer.from(m.binary, "base64"));
// Own keys only, undefined dropped, as the files have it.
const plain = (v) =>
  Buffer.isBuffer(v) ? { $binary: v.toString("base64") }
  : Array.isArray(v) ? Array.from(v, (x) => (x === undefined ? null : plain(x)))
  : v && typeof v === "object" ? Object.fromEntries(Object.entries(v).filter(([, x]) => x !== undefined).map(([k, x]) => [k, plain(x)]))
  : v;

function decode(messages) {
  const decoder = new Decoder();
  let packet;
  decoder.on("decoded", (p) => (packet = p));
  try {
    for (const m of messages) {
      packet = undefined;
      decoder.add(message(m));
    }
  } catch (e) {
    return { error: e.message };
  }
  if (!packet) return { pending: decoder.reconstructor.reconPack.attachments - decoder.reconstructor.buffers.length };
  const out = { type: PacketType[packet.type], namespace: packet.nsp };
  if (packet.id !== undefined) out.id = packet.id;
  if (packet.data !== undefined) out.data = packet.data;
  return { packet: plain(out) };
}

let failures = 0;
let cases = 0;
function check(name, f) {
  cases++;
  try {
    f();
  } catch (e) {
    failures++;
    console.error(`FAIL ${name}\n${e.message}\n`);
  }
}

const packets = read("packets.json");
for (const c of packets.decode) {
  check(`decode: ${c.name}`, () => {
    const got = decode(c.messages);
    const want = structuredClone(c.official ?? { packet: c.packet, error: c.error, pending: c.pending });
    if (c.differs) assert.ok(c.official, "differs without official");
    if (c.packet && !c.official && c.packet.data && c.packet.type === "EVENT") {
      assert.equal(c.packet.event, String(got.packet.data[0]), "event");
    }
    if (want.packet) delete want.packet.event;
    assert.deepEqual(got, plain(want));
  });
}
for (const c of packets.encode) {
  check(`encode: ${c.name}`, () => {
    const p = revive(c.packet);
    const got = new Encoder().encode({ type: PacketType[p.type], nsp: p.namespace, id: p.id, data: p.data });
    assert.deepEqual(got, c.messages.map(message));
  });
}

const payloads = read("payloads.json");
const eio = (p) => plain(p.type === "error" ? { error: p.data } : { packet: p });
for (const c of payloads.packets) {
  check(`packet: ${c.name}`, () => {
    const got = engine.decodePacket(message(c.wire), "nodebuffer");
    assert.deepEqual(eio(got), plain({ packet: c.packet, error: c.error }));
    if (c.packet) {
      // Binary is bytes where the transport can carry them, base64 elsewhere.
      engine.encodePacket(revive(c.packet), typeof c.wire !== "string", (wire) => assert.deepEqual(wire, message(c.wire)));
    }
  });
}
for (const c of payloads.payloads) {
  check(`payload: ${c.name}`, () => {
    const got = engine.decodePayload(c.wire, "nodebuffer");
    const want = c.packets.map((packet) => plain({ packet }));
    if (c.error) want.push({ error: c.error });
    assert.deepEqual(got.map(eio), want);
    if (!c.decodeOnly) {
      engine.encodePayload(c.packets.map(revive), (wire) => assert.equal(wire, c.wire));
    }
  });
}

console.log(`${cases - failures} of ${cases} cases as the official parsers have them`);
process.exitCode = failures ? 1 : 0;
