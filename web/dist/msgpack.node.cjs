/*! Sockeye, a Socket.IO client. MIT licence. */
"use strict";
var __defProp = Object.defineProperty;
var __getOwnPropDesc = Object.getOwnPropertyDescriptor;
var __getOwnPropNames = Object.getOwnPropertyNames;
var __hasOwnProp = Object.prototype.hasOwnProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};
var __copyProps = (to, from, except, desc) => {
  if (from && typeof from === "object" || typeof from === "function") {
    for (let key of __getOwnPropNames(from))
      if (!__hasOwnProp.call(to, key) && key !== except)
        __defProp(to, key, { get: () => from[key], enumerable: !(desc = __getOwnPropDesc(from, key)) || desc.enumerable });
  }
  return to;
};
var __toCommonJS = (mod) => __copyProps(__defProp({}, "__esModule", { value: true }), mod);

// src/msgpack.ts
var msgpack_exports = {};
__export(msgpack_exports, {
  Decoder: () => Decoder,
  Encoder: () => Encoder,
  default: () => parser,
  parser: () => parser
});
module.exports = __toCommonJS(msgpack_exports);

// src/binary.ts
var isBinary = (value) => ArrayBuffer.isView(value) || /(Buffer|Blob|File)]$/.test({}.toString.call(value));
var given = (bytes) => bytes instanceof ArrayBuffer ? Buffer.from(bytes) : bytes;
var viewOf = (data) => new Uint8Array(data.buffer || data, data.byteOffset, data.byteLength);

// src/parser.ts
var reserved = /^(connect(_error)?|disconnect(ing)?|(new|remove)Listener)$/;
var bad = (text) => {
  throw Error(text || "invalid packet");
};
function valid({ type, data }) {
  const list = Array.isArray(data);
  const dict = {}.toString.call(data) == "[object Object]";
  const name = list && data[0];
  return [
    dict,
    // CONNECT
    0,
    // DISCONNECT
    typeof name == "number" || typeof name == "string" && !reserved.test(name),
    // EVENT
    list,
    // ACK
    dict || typeof data == "string"
    // CONNECT_ERROR
  ][type];
}

// src/msgpack.ts
var maxDepth = 500;
var buffer = new Uint8Array(1024);
var at = 0;
function room(n) {
  at += n;
  if (at > buffer.length) {
    const larger = new Uint8Array(at * 2);
    larger.set(buffer);
    buffer = larger;
  }
}
function put(type, size = 0, value = 0) {
  room(size + 1);
  buffer[at - size - 1] = type;
  while (size) buffer[at - size] = Math.floor(value / 256 ** --size);
}
function head(value, type, limit, within, size = 1) {
  if (value < limit) put(within + value);
  else {
    for (; (value < 0 ? -2 * value - 1 : value) >= 256 ** size; size *= 2) type++;
    put(type, size, value);
  }
}
function writeBytes(bytes, type, limit, within) {
  const { length } = bytes;
  head(length, type, limit, within);
  room(length);
  buffer.set(bytes, at - length);
}
function write(value) {
  const type = typeof value;
  if (type == "string") {
    writeBytes(new TextEncoder().encode(value), 217, 32, 160);
  } else if (type == "number") {
    if (!Number.isSafeInteger(value)) {
      put(203);
      room(8);
      new DataView(buffer.buffer).setFloat64(at - 8, value);
    } else if (value < -32) head(value, 208);
    else head(value, 204, 128, 0);
  } else if (value === null) put(192);
  else if (value === void 0) put(212, 2);
  else if (type == "boolean") put(value ? 195 : 194);
  else if (type != "object") bad("cannot be sent: " + type);
  else if (Array.isArray(value)) {
    head(value.length, 220, 16, 144, 2);
    for (const item of value) write(item);
  } else if (value instanceof Date) {
    put(215);
    put(0, 8, value.getTime());
  } else if (isBinary(value)) {
    if (value.size != null) bad("cannot be sent: " + (true ? "a Blob with MessagePack; use its arrayBuffer()" : "Blob"));
    writeBytes(viewOf(value), 196);
  } else if (typeof value.toJSON == "function") write(value.toJSON());
  else {
    const entries = Object.entries(value).filter(([, v]) => typeof v != "function");
    head(entries.length, 222, 16, 128, 2);
    for (const item of entries.flat()) write(item);
  }
}
function read(input) {
  const data = new DataView(input.buffer, input.byteOffset);
  let pos = 0;
  let depth = 0;
  const take = (n) => {
    pos += n;
    return pos > input.length ? bad() : pos - n;
  };
  const uint = (size, value2 = 0) => {
    for (let i = take(size); size--; ) value2 = value2 * 256 + input[i++];
    return value2;
  };
  const int = (size) => uint(size, -(input[pos] >> 7));
  const bytes = (n) => input.slice(take(n), pos);
  const binary = (n) => true ? given(bytes(n).buffer) : bytes(n).buffer;
  const text = (n) => new TextDecoder().decode(bytes(n));
  const list = (length, item = value) => {
    take(length);
    pos -= length;
    if (++depth > maxDepth) bad();
    const values = Array.from({ length }, item);
    depth--;
    return values;
  };
  const dict = (n) => Object.fromEntries(list(n, () => [value(), value()]));
  const ext = (n, fixed) => {
    const type = int(1);
    if (!type && fixed && n == 1) return void take(1);
    if (!type && fixed && n == 8) return new Date(int(8));
    return type || fixed ? [type, binary(n)] : binary(n);
  };
  const kinds = [
    [128, (n) => n],
    [16, dict],
    [16, list],
    [32, text],
    [4, (n) => n == 1 ? bad() : [null, , false, true][n]],
    [3, (n) => binary(uint(1 << n))],
    [3, (n) => ext(uint(1 << n))],
    [2, (n) => n ? data.getFloat64(take(8)) : data.getFloat32(take(4))],
    [4, (n) => uint(1 << n)],
    [4, (n) => int(1 << n)],
    [5, (n) => ext(1 << n, true)],
    [3, (n) => text(uint(1 << n))],
    [2, (n) => list(uint(2 << n))],
    [2, (n) => dict(uint(2 << n))],
    [32, (n) => n - 32]
  ];
  function value() {
    let n = uint(1);
    for (const [count, get] of kinds) {
      if (n < count) return get(n);
      n -= count;
    }
  }
  const result = value();
  if (pos != input.length) bad();
  return result;
}
var Encoder = class {
  encode({ type, data, nsp, id }) {
    at = 0;
    write({ type, nsp, ...data != null && { data }, ...id != null && { id } });
    return [buffer.slice(0, at).buffer];
  }
};
var Decoder = class {
  on(_, listener) {
    this.e = listener;
  }
  add(message) {
    if (!isBinary(message)) bad();
    const packet = read(viewOf(message)) || {};
    const { type, nsp, id = 0, data } = packet;
    if (!(typeof type == "number" && typeof nsp == "string" && Number.isInteger(id) && (data === void 0 ? [1, 1][type] : valid(packet)))) bad();
    this.e(packet);
  }
  destroy() {
  }
};
var parser = { Encoder, Decoder };
// Annotate the CommonJS export names for ESM import in node:
0 && (module.exports = {
  Decoder,
  Encoder,
  parser
});
//# sourceMappingURL=msgpack.node.cjs.map
