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
  const start = at;
  at += n;
  if (at > buffer.length) {
    const larger = new Uint8Array(at * 2);
    larger.set(buffer);
    buffer = larger;
  }
  return start;
}
function put(type, size = 0, value = 0) {
  let i = room(size + 1);
  buffer[i] = type;
  while (size--) buffer[++i] = Math.floor(value / 256 ** size);
}
function head(length, fixed, limit, first, smallest = 1) {
  if (length < limit) put(fixed + length);
  else if (length < 256 && smallest < 2) put(first, 1, length);
  else if (length < 65536) put(first + 2 - smallest, 2, length);
  else put(first + 3 - smallest, 4, length);
}
function writeBytes(bytes) {
  const start = room(bytes.length);
  buffer.set(bytes, start);
}
var refuse = (what) => {
  throw TypeError("cannot be sent: " + what);
};
function write(value) {
  const type = typeof value;
  if (type == "string") {
    const bytes = new TextEncoder().encode(value);
    head(bytes.length, 160, 32, 217);
    writeBytes(bytes);
  } else if (type == "number") {
    if (value >= -32 && value < 128 && Number.isInteger(value)) put(value);
    else if (!Number.isSafeInteger(value)) {
      put(203);
      new DataView(buffer.buffer).setFloat64(room(8), value);
    } else if (value < 0) put(...value < -(2 ** 31) ? [211, 8] : [210, 4], value);
    else if (value < 2 ** 32) head(value, 0, 0, 204);
    else put(207, 8, value);
  } else if (value === null) put(192);
  else if (type == "undefined" || type == "function") put(212, 2);
  else if (type == "boolean") put(value ? 195 : 194);
  else if (type != "object") refuse(type);
  else if (Array.isArray(value)) {
    head(value.length, 144, 16, 220, 2);
    value.forEach(write);
  } else if (value instanceof Date) {
    put(215);
    put(0, 8, value.getTime());
  } else if (isBinary(value)) {
    if (value.size != null) refuse(true ? "a Blob with MessagePack; use its arrayBuffer()" : "Blob");
    const bytes = viewOf(value);
    head(bytes.length, 0, 0, 196);
    writeBytes(bytes);
  } else if (typeof value.toJSON == "function") write(value.toJSON());
  else {
    const entries = Object.entries(value).filter(([, v]) => typeof v != "function");
    head(entries.length, 128, 16, 222, 2);
    entries.flat().forEach(write);
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
  const get = (kind, size) => data["get" + kind](take(size));
  const uint = (size) => get("Uint" + size * 8, size);
  const int = (size) => get("Int" + size * 8, size);
  const wide = (high) => high * 2 ** 32 + uint(4);
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
    if (!type && fixed && n == 8) return new Date(wide(int(4)));
    return type || fixed ? [type, binary(n)] : binary(n);
  };
  function value() {
    const b = uint(1);
    if (b < 128) return b;
    if (b < 144) return dict(b - 128);
    if (b < 160) return list(b - 144);
    if (b < 192) return text(b - 160);
    if (b < 196) return b == 193 ? bad() : [null, , false, true][b - 192];
    if (b < 199) return binary(uint(1 << b - 196));
    if (b < 202) return ext(uint(1 << b - 199));
    if (b < 203) return get("Float32", 4);
    if (b < 204) return get("Float64", 8);
    if (b < 207) return uint(1 << b - 204);
    if (b < 208) return wide(uint(4));
    if (b < 211) return int(1 << b - 208);
    if (b < 212) return wide(int(4));
    if (b < 217) return ext(1 << b - 212, true);
    if (b < 220) return text(uint(1 << b - 217));
    if (b < 222) return list(uint(2 << b - 220));
    if (b < 224) return dict(uint(2 << b - 222));
    return b - 256;
  }
  const result = value();
  if (pos != input.length) bad();
  return result;
}
var Encoder = class {
  encode({ type, data, nsp, id }) {
    at = 0;
    const packet = { type, nsp };
    if (data != null) packet.data = data;
    if (id != null) packet.id = id;
    write(packet);
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
    const { type, nsp, id, data } = packet;
    if (typeof type != "number" || typeof nsp != "string" || !(id === void 0 || Number.isInteger(id)) || !(data === void 0 ? type == 0 || type == 1 : valid(packet))) bad();
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
