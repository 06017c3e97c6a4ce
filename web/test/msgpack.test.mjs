// The MessagePack codec against the vectors that the Go tests read too.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import official from "socket.io-msgpack-parser";
import { Decoder, Encoder } from "../dist/msgpack.js";

const vectors = JSON.parse(readFileSync(new URL("../../testdata/vectors/msgpack.json", import.meta.url), "utf8"));
const bytes = (base64) => Uint8Array.from(Buffer.from(base64, "base64"));

function revive(v) {
  if (v === null || typeof v != "object") return v;
  if (Array.isArray(v)) return v.map(revive);
  const [[key, x] = []] = Object.entries(v);
  if (key === "$binary" || key === "$buffer") return bytes(x);
  if (key === "$date") return new Date(x);
  if (key === "$number") return Number(x);
  if (key === "$undefined") return undefined;
  return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, revive(x)]));
}

// Bytes of any kind compare as text; members that are undefined do not count.
function plain(v) {
  if (v instanceof ArrayBuffer) v = new Uint8Array(v);
  if (ArrayBuffer.isView(v)) return "bytes " + Buffer.from(v.buffer, v.byteOffset, v.byteLength).toString("hex");
  if (v instanceof Date || v === null || typeof v != "object") return v;
  if (Array.isArray(v)) return v.map(plain);
  return Object.fromEntries(Object.entries(v).filter(([, x]) => x !== undefined).map(([k, x]) => [k, plain(x)]));
}

function decode(Kind, message) {
  const decoder = new Kind();
  let packet;
  decoder.on("decoded", (p) => (packet = p));
  decoder.add(message);
  return plain(packet);
}

describe("encode: the official parser reads what we write", () => {
  for (const { name, packet } of vectors.encode) {
    test(name, () => {
      const want = revive(packet);
      const [message] = new Encoder().encode(want);
      const { options, ...rest } = want;
      assert.deepEqual(decode(official.Decoder, Buffer.from(message)), plain(rest));
    });
  }
});

describe("decode", () => {
  for (const { name, message } of [...vectors.encode, ...vectors.decode]) {
    test(name, () => {
      const input = bytes(message);
      let want;
      try {
        want = decode(official.Decoder, Buffer.from(input));
      } catch {
        assert.throws(() => decode(Decoder, input.buffer));
        return;
      }
      assert.deepEqual(decode(Decoder, input.buffer), want);
    });
  }
});

describe("encode", () => {
  test("the buffer may grow anywhere", () => {
    // Each kind of value comes to stand at its end.
    for (const value of [0.5, 70_000, "text", new Uint8Array(9), new Date(0), [1], { a: 1 }, null]) {
      const data = ["e", ...Array.from({ length: 3000 }, () => value)];
      const [message] = new Encoder().encode({ type: 2, nsp: "/", data });
      assert.deepEqual(decode(official.Decoder, Buffer.from(message)).data, plain(data));
    }
  });

  test("integers take the fewest bytes, on either side of each border", () => {
    for (const [value, size] of [[127, 1], [128, 2], [255, 2], [256, 3], [65535, 3], [65536, 5], [2 ** 32 - 1, 5], [2 ** 32, 9], [-32, 1], [-33, 2], [-128, 2], [-129, 3], [-32768, 3], [-32769, 5], [-(2 ** 31), 5], [-(2 ** 31) - 1, 9], [Number.MIN_SAFE_INTEGER, 9], [Number.MAX_SAFE_INTEGER, 9]]) {
      const of = (data) => new Encoder().encode({ type: 2, nsp: "/", data })[0];
      const message = of(["e", value]);
      assert.equal(message.byteLength - of(["e"]).byteLength, size, String(value));
      assert.deepEqual(decode(official.Decoder, Buffer.from(message)).data, ["e", value]);
      assert.deepEqual(decode(Decoder, message).data, ["e", value]);
    }
  });

  test("places of an array that are empty are undefined", () => {
    const [message] = new Encoder().encode({ type: 2, nsp: "/", data: ["e", , 1] });
    assert.deepEqual(decode(official.Decoder, Buffer.from(message)).data, ["e", undefined, 1]);
  });

  test("what has no form is refused", () => {
    for (const value of [1n, Symbol(), () => {}, new Blob([])]) {
      assert.throws(() => new Encoder().encode({ type: 2, nsp: "/", data: ["e", [value]] }), /cannot be sent/);
    }
  });
});
