/*! Sockeye, a Socket.IO client. MIT licence. */

// src/binary.ts
var isBinary = (value) => ArrayBuffer.isView(value) || /(Buffer|Blob|File)]$/.test({}.toString.call(value));
var given = (bytes) => bytes instanceof ArrayBuffer ? Buffer.from(bytes) : bytes;

// src/msgpack.ts
var maxDepth = 500;
var buffer = new Uint8Array(1024);
var view = new DataView(buffer.buffer);
var at = 0;
function room(n) {
  const start = at;
  at += n;
  if (at > buffer.length) {
    const larger = new Uint8Array(at * 2);
    larger.set(buffer);
    buffer = larger;
    view = new DataView(buffer.buffer);
  }
  return start;
}
function put(method, size, value) {
  const start = room(size);
  view[method](start, value);
}
var byte = (value) => put("setUint8", 1, value);
function head(length, fixed, limit, first, has8 = true) {
  if (length < limit) byte(fixed + length);
  else if (has8 && length < 256) {
    byte(first);
    byte(length);
  } else if (length < 65536) {
    byte(first + (has8 ? 1 : 0));
    put("setUint16", 2, length);
  } else {
    byte(first + (has8 ? 2 : 1));
    put("setUint32", 4, length);
  }
}
function int64(value) {
  put("setInt32", 4, Math.floor(value / 2 ** 32));
  put("setUint32", 4, value >>> 0);
}
function write(value) {
  if (typeof value == "string") {
    const bytes = new TextEncoder().encode(value);
    head(bytes.length, 160, 32, 217);
    const start = room(bytes.length);
    buffer.set(bytes, start);
  } else if (typeof value == "number") {
    if (!Number.isInteger(value)) {
      byte(203);
      put("setFloat64", 8, value);
    } else if (value >= -32 && value < 128) byte(value);
    else if (value >= 0 && value < 2 ** 32) head(value, 0, 0, 204);
    else if (value < 0 && value >= -(2 ** 31)) {
      byte(210);
      put("setInt32", 4, value);
    } else if (Number.isSafeInteger(value)) {
      byte(value < 0 ? 211 : 207);
      int64(value);
    } else {
      byte(203);
      put("setFloat64", 8, value);
    }
  } else if (value == null || typeof value == "function") {
    if (value === null) byte(192);
    else [212, 0, 0].forEach(byte);
  } else if (typeof value == "boolean") byte(value ? 195 : 194);
  else if (Array.isArray(value)) {
    head(value.length, 144, 16, 220, false);
    value.forEach(write);
  } else if (value instanceof Date) {
    byte(215);
    byte(0);
    int64(value.getTime());
  } else if (isBinary(value)) {
    const bytes = ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : new Uint8Array(value);
    if (value.size != null) throw TypeError("a Blob cannot be sent with MessagePack: use its arrayBuffer()");
    head(bytes.length, 0, 0, 196);
    const start = room(bytes.length);
    buffer.set(bytes, start);
  } else if (typeof value == "object") {
    const { toJSON } = value;
    if (typeof toJSON == "function") return write(toJSON.call(value));
    const entries = Object.entries(value).filter(([, v]) => typeof v != "function");
    head(entries.length, 128, 16, 222, false);
    for (const [key, v] of entries) {
      write(key);
      write(v);
    }
  } else throw TypeError("cannot be sent: " + typeof value);
}
function read(input) {
  const data = new DataView(input.buffer, input.byteOffset, input.byteLength);
  let pos = 0;
  let depth = 0;
  const take = (n) => {
    if (pos + n > input.length) throw Error("invalid packet");
    return (pos += n) - n;
  };
  const uint = (size) => size == 1 ? data.getUint8(take(1)) : size == 2 ? data.getUint16(take(2)) : data.getUint32(take(4));
  const bytes = (n) => given(input.slice(take(n), pos).buffer);
  const text = (n) => new TextDecoder().decode(input.subarray(take(n), pos));
  const list = (n) => {
    take(n);
    pos -= n;
    return Array.from({ length: n }, value);
  };
  const dict = (n) => {
    const entries = {};
    for (let i = 0; i < n; i++) {
      const key = String(value());
      Object.defineProperty(entries, key, { value: value(), enumerable: true, configurable: true, writable: true });
    }
    return entries;
  };
  const wide = (high) => high * 2 ** 32 + uint(4);
  const ext = (n, fixed) => {
    const type = data.getInt8(take(1));
    if (!type && fixed && n == 1) return void take(1);
    if (!type && fixed && n == 8) return new Date(wide(data.getInt32(take(4))));
    return type || fixed ? [type, bytes(n)] : bytes(n);
  };
  const nested = (read2, n) => {
    if (++depth > maxDepth) throw Error("invalid packet");
    const result2 = read2(n);
    depth--;
    return result2;
  };
  function value() {
    const b = uint(1);
    if (b < 128) return b;
    if (b < 144) return nested(dict, b & 15);
    if (b < 160) return nested(list, b & 15);
    if (b < 192) return text(b & 31);
    if (b > 223) return b - 256;
    const size = (from) => 1 << b - from;
    if (b < 196 && b != 193) return [null, , false, true][b - 192];
    if (b > 195 && b < 199) return bytes(uint(size(196)));
    if (b > 198 && b < 202) return ext(uint(size(199)));
    if (b == 202) return data.getFloat32(take(4));
    if (b == 203) return data.getFloat64(take(8));
    if (b > 203 && b < 207) return uint(size(204));
    if (b == 207) return wide(uint(4));
    if (b == 208) return data.getInt8(take(1));
    if (b == 209) return data.getInt16(take(2));
    if (b == 210) return data.getInt32(take(4));
    if (b == 211) return wide(data.getInt32(take(4)));
    if (b > 211 && b < 217) return ext(size(212), true);
    if (b > 216 && b < 220) return text(uint(size(217)));
    if (b > 219 && b < 222) return nested(list, uint(size(220) * 2));
    if (b > 221) return nested(dict, uint(size(222) * 2));
    throw Error("invalid packet");
  }
  const result = value();
  if (pos != input.length) throw Error("invalid packet");
  return result;
}
var Encoder = class {
  encode({ type, data, nsp, id }) {
    at = 0;
    const packet = { type, nsp };
    if (data !== void 0) packet.data = data;
    if (id !== void 0) packet.id = id;
    write(packet);
    return [buffer.slice(0, at).buffer];
  }
};
var Decoder = class {
  on(_, listener) {
    this.B = listener;
  }
  add(message) {
    if (!isBinary(message)) throw Error("invalid packet");
    const packet = read(new Uint8Array(message));
    const { type, nsp, id, data } = packet || {};
    const list = Array.isArray(data);
    const dict = !list && data && typeof data == "object" && !isBinary(data);
    if (typeof type != "number" || typeof nsp != "string" || !(id === void 0 || Number.isInteger(id)) || ![data === void 0 || dict, data === void 0, list, list, dict || typeof data == "string"][type]) {
      throw Error("invalid packet");
    }
    this.B(packet);
  }
  destroy() {
  }
};
var parser = { Encoder, Decoder };
export {
  Decoder,
  Encoder,
  parser as default,
  parser
};
//# sourceMappingURL=msgpack.node.js.map
