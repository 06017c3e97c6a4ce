// The codec of socket.io-msgpack-parser: a packet is one binary message. It is
// smaller and quicker than JSON where there are bytes and numbers.
import { given, isBinary } from "./binary";
import type { Packet, Parser } from "./parser";

/** Values may be nested this deep in what a server sends. */
const maxDepth = 500;

let buffer = new Uint8Array(1024);
let view = new DataView(buffer.buffer);
let at = 0;

/** Makes room for n bytes and returns where they go. */
function room(n: number): number {
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

function put(method: "setUint8" | "setUint16" | "setInt32" | "setUint32" | "setFloat64", size: number, value: number): void {
  const start = room(size); // which may replace the view
  view[method](start, value);
}

const byte = (value: number) => put("setUint8", 1, value);

/** Writes a length in the shortest form: fixed, or 8, 16, 32 bits from `first`. */
function head(length: number, fixed: number, limit: number, first: number, has8 = true): void {
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

/** Writes eight bytes, also those of negative integers. */
function int64(value: number): void {
  put("setInt32", 4, Math.floor(value / 2 ** 32));
  put("setUint32", 4, value >>> 0);
}

function write(value: unknown): void {
  if (typeof value == "string") {
    const bytes = new TextEncoder().encode(value);
    head(bytes.length, 0xa0, 32, 0xd9);
    const start = room(bytes.length);
    buffer.set(bytes, start);
  } else if (typeof value == "number") {
    if (!Number.isInteger(value)) {
      byte(0xcb);
      put("setFloat64", 8, value);
    } else if (value >= -32 && value < 128) byte(value);
    else if (value >= 0 && value < 2 ** 32) head(value, 0, 0, 0xcc);
    else if (value < 0 && value >= -(2 ** 31)) {
      byte(0xd2);
      put("setInt32", 4, value);
    } else if (Number.isSafeInteger(value)) {
      byte(value < 0 ? 0xd3 : 0xcf);
      int64(value);
    } else {
      byte(0xcb);
      put("setFloat64", 8, value);
    }
  } else if (value == null || typeof value == "function") {
    if (value === null) byte(0xc0);
    else [0xd4, 0, 0].forEach(byte); // undefined
  } else if (typeof value == "boolean") byte(value ? 0xc3 : 0xc2);
  else if (Array.isArray(value)) {
    head(value.length, 0x90, 16, 0xdc, false);
    value.forEach(write);
  } else if (value instanceof Date) {
    byte(0xd7);
    byte(0);
    int64(value.getTime());
  } else if (isBinary(value)) {
    const bytes = ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : new Uint8Array(value as ArrayBuffer);
    if ((value as Blob).size != null) throw TypeError("a Blob cannot be sent with MessagePack: use its arrayBuffer()");
    head(bytes.length, 0, 0, 0xc4);
    const start = room(bytes.length);
    buffer.set(bytes, start);
  } else if (typeof value == "object") {
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON == "function") return write(toJSON.call(value));
    const entries = Object.entries(value).filter(([, v]) => typeof v != "function");
    head(entries.length, 0x80, 16, 0xde, false);
    for (const [key, v] of entries) {
      write(key);
      write(v);
    }
  } else throw TypeError("cannot be sent: " + typeof value);
}

function read(input: Uint8Array): unknown {
  const data = new DataView(input.buffer, input.byteOffset, input.byteLength);
  let pos = 0;
  let depth = 0;
  const take = (n: number) => {
    if (pos + n > input.length) throw Error("invalid packet");
    return (pos += n) - n;
  };
  const uint = (size: number) => (size == 1 ? data.getUint8(take(1)) : size == 2 ? data.getUint16(take(2)) : data.getUint32(take(4)));
  const bytes = (n: number) => given(input.slice(take(n), pos).buffer);
  const text = (n: number) => new TextDecoder().decode(input.subarray(take(n), pos));
  const list = (n: number) => {
    take(n);
    pos -= n; // there is at least a byte for each
    return Array.from({ length: n }, value);
  };
  const dict = (n: number) => {
    const entries: Record<string, unknown> = {};
    for (let i = 0; i < n; i++) {
      const key = String(value());
      // As a property of its own, whatever it is called.
      Object.defineProperty(entries, key, { value: value(), enumerable: true, configurable: true, writable: true });
    }
    return entries;
  };
  const wide = (high: number) => high * 2 ** 32 + uint(4);
  // Type 0 is undefined, a Date, or what Node makes of an ArrayBuffer, by its length.
  const ext = (n: number, fixed?: boolean) => {
    const type = data.getInt8(take(1));
    if (!type && fixed && n == 1) return void take(1);
    if (!type && fixed && n == 8) return new Date(wide(data.getInt32(take(4))));
    return type || fixed ? [type, bytes(n)] : bytes(n);
  };
  const nested = (read: (n: number) => unknown, n: number) => {
    if (++depth > maxDepth) throw Error("invalid packet");
    const result = read(n);
    depth--;
    return result;
  };
  function value(): unknown {
    const b = uint(1);
    if (b < 0x80) return b;
    if (b < 0x90) return nested(dict, b & 15);
    if (b < 0xa0) return nested(list, b & 15);
    if (b < 0xc0) return text(b & 31);
    if (b > 0xdf) return b - 256;
    const size = (from: number) => 1 << (b - from);
    if (b < 0xc4 && b != 0xc1) return [null, , false, true][b - 0xc0];
    if (b > 0xc3 && b < 0xc7) return bytes(uint(size(0xc4)));
    if (b > 0xc6 && b < 0xca) return ext(uint(size(0xc7)));
    if (b == 0xca) return data.getFloat32(take(4));
    if (b == 0xcb) return data.getFloat64(take(8));
    if (b > 0xcb && b < 0xcf) return uint(size(0xcc));
    if (b == 0xcf) return wide(uint(4));
    if (b == 0xd0) return data.getInt8(take(1));
    if (b == 0xd1) return data.getInt16(take(2));
    if (b == 0xd2) return data.getInt32(take(4));
    if (b == 0xd3) return wide(data.getInt32(take(4)));
    if (b > 0xd3 && b < 0xd9) return ext(size(0xd4), true);
    if (b > 0xd8 && b < 0xdc) return text(uint(size(0xd9)));
    if (b > 0xdb && b < 0xde) return nested(list, uint(size(0xdc) * 2));
    if (b > 0xdd) return nested(dict, uint(size(0xde) * 2));
    throw Error("invalid packet");
  }
  const result = value();
  if (pos != input.length) throw Error("invalid packet");
  return result;
}

/** Writes a packet as one binary message. */
export class Encoder {
  encode({ type, data, nsp, id }: Packet): unknown[] {
    at = 0;
    const packet: Partial<Packet> = { type, nsp };
    if (data !== undefined) packet.data = data;
    if (id !== undefined) packet.id = id;
    write(packet);
    return [buffer.slice(0, at).buffer];
  }
}

/** Reads such messages. */
export class Decoder {
  /** @internal */
  declare _done: (packet: Packet) => void;

  on(_: string, listener: (packet: Packet) => void): void {
    this._done = listener;
  }

  add(message: unknown): void {
    if (!isBinary(message)) throw Error("invalid packet");
    const packet = read(new Uint8Array(message as ArrayBuffer)) as Packet;
    const { type, nsp, id, data } = packet || {};
    const list = Array.isArray(data);
    const dict = !list && data && typeof data == "object" && !isBinary(data);
    if (
      typeof type != "number" ||
      typeof nsp != "string" ||
      !(id === undefined || Number.isInteger(id)) ||
      ![data === undefined || dict, data === undefined, list, list, dict || typeof data == "string"][type]
    ) {
      throw Error("invalid packet");
    }
    this._done(packet);
  }

  destroy(): void {}
}

/** For the option `parser`. */
const parser: Parser = { Encoder, Decoder };
export { parser, parser as default };
