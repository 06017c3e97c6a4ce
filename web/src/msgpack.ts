// The codec of socket.io-msgpack-parser: a packet is one binary message. It is
// smaller and quicker than JSON where there are bytes and numbers.
import { given, isBinary, viewOf } from "./binary";
import { bad, type Packet, type Parser, valid } from "./parser";

/** Values may be nested this deep in what a server sends. */
const maxDepth = 500;

let buffer = new Uint8Array(1024);
let at = 0;

/** Makes room for n bytes and returns where they go. */
function room(n: number): number {
  const start = at;
  at += n;
  if (at > buffer.length) {
    const larger = new Uint8Array(at * 2);
    larger.set(buffer);
    buffer = larger;
  }
  return start;
}

/** Writes a type, and an integer of so many bytes, the highest first. */
function put(type: number, size = 0, value = 0): void {
  let i = room(size + 1);
  buffer[i] = type;
  while (size--) buffer[++i] = Math.floor(value / 256 ** size);
}

/** Writes a length in the shortest form: within the type, or in 1, 2 or 4 bytes. */
function head(length: number, fixed: number, limit: number, first: number, smallest = 1): void {
  if (length < limit) put(fixed + length);
  else if (length < 256 && smallest < 2) put(first, 1, length);
  else if (length < 65536) put(first + 2 - smallest, 2, length);
  else put(first + 3 - smallest, 4, length);
}

function writeBytes(bytes: Uint8Array): void {
  const start = room(bytes.length); // which may replace the buffer
  buffer.set(bytes, start);
}

const refuse = (what: string): never => {
  throw TypeError("cannot be sent: " + what);
};

function write(value: any): void {
  const type = typeof value;
  if (type == "string") {
    const bytes = new TextEncoder().encode(value);
    head(bytes.length, 0xa0, 32, 0xd9);
    writeBytes(bytes);
  } else if (type == "number") {
    if (value >= -32 && value < 128 && Number.isInteger(value)) put(value);
    else if (!Number.isSafeInteger(value)) {
      put(0xcb);
      new DataView(buffer.buffer).setFloat64(room(8), value);
    } else if (value < 0) put(...((value < -(2 ** 31) ? [0xd3, 8] : [0xd2, 4]) as [number, number]), value);
    else if (value < 2 ** 32) head(value, 0, 0, 0xcc);
    else put(0xcf, 8, value);
  } else if (value === null) put(0xc0);
  else if (type == "undefined" || type == "function") put(0xd4, 2);
  else if (type == "boolean") put(value ? 0xc3 : 0xc2);
  else if (type != "object") refuse(type);
  else if (Array.isArray(value)) {
    head(value.length, 0x90, 16, 0xdc, 2);
    value.forEach(write);
  } else if (value instanceof Date) {
    put(0xd7);
    put(0, 8, value.getTime());
  } else if (isBinary(value)) {
    if ((value as Blob).size != null) refuse(__DEV__ ? "a Blob with MessagePack; use its arrayBuffer()" : "Blob");
    const bytes = viewOf(value as ArrayBuffer);
    head(bytes.length, 0, 0, 0xc4);
    writeBytes(bytes);
  } else if (typeof value.toJSON == "function") write(value.toJSON());
  else {
    const entries = Object.entries(value).filter(([, v]) => typeof v != "function");
    head(entries.length, 0x80, 16, 0xde, 2);
    entries.flat().forEach(write);
  }
}

function read(input: Uint8Array): unknown {
  const data = new DataView(input.buffer, input.byteOffset);
  let pos = 0;
  let depth = 0;
  const take = (n: number) => {
    pos += n;
    return pos > input.length ? bad() : pos - n;
  };
  const get = (kind: string, size: number): number => (data as never as Record<string, (at: number) => number>)["get" + kind](take(size));
  const uint = (size: number) => get("Uint" + size * 8, size);
  const int = (size: number) => get("Int" + size * 8, size);
  const wide = (high: number) => high * 2 ** 32 + uint(4);
  const bytes = (n: number) => input.slice(take(n), pos);
  const binary = (n: number) => (__NODE__ ? given(bytes(n).buffer) : bytes(n).buffer);
  const text = (n: number) => new TextDecoder().decode(bytes(n));
  const list = (length: number, item: () => unknown = value) => {
    take(length);
    pos -= length; // there is at least a byte for each
    if (++depth > maxDepth) bad();
    const values = Array.from({ length }, item);
    depth--;
    return values;
  };
  // As properties of its own, whatever they are called.
  const dict = (n: number) => Object.fromEntries(list(n, () => [value(), value()]) as [string, unknown][]);
  // Type 0 is undefined, a Date, or what Node makes of an ArrayBuffer, by its length.
  const ext = (n: number, fixed?: boolean) => {
    const type = int(1);
    if (!type && fixed && n == 1) return void take(1);
    if (!type && fixed && n == 8) return new Date(wide(int(4)));
    return type || fixed ? [type, binary(n)] : binary(n);
  };
  function value(): unknown {
    const b = uint(1);
    if (b < 0x80) return b;
    if (b < 0x90) return dict(b - 0x80);
    if (b < 0xa0) return list(b - 0x90);
    if (b < 0xc0) return text(b - 0xa0);
    if (b < 0xc4) return b == 0xc1 ? bad() : [null, , false, true][b - 0xc0];
    if (b < 0xc7) return binary(uint(1 << (b - 0xc4)));
    if (b < 0xca) return ext(uint(1 << (b - 0xc7)));
    if (b < 0xcb) return get("Float32", 4);
    if (b < 0xcc) return get("Float64", 8);
    if (b < 0xcf) return uint(1 << (b - 0xcc));
    if (b < 0xd0) return wide(uint(4));
    if (b < 0xd3) return int(1 << (b - 0xd0));
    if (b < 0xd4) return wide(int(4));
    if (b < 0xd9) return ext(1 << (b - 0xd4), true);
    if (b < 0xdc) return text(uint(1 << (b - 0xd9)));
    if (b < 0xde) return list(uint(2 << (b - 0xdc)));
    if (b < 0xe0) return dict(uint(2 << (b - 0xde)));
    return b - 256;
  }
  const result = value();
  if (pos != input.length) bad();
  return result;
}

/** Writes a packet as one binary message. */
export class Encoder {
  encode({ type, data, nsp, id }: Packet): unknown[] {
    at = 0;
    const packet: Partial<Packet> = { type, nsp };
    if (data != null) packet.data = data;
    if (id != null) packet.id = id;
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
    if (!isBinary(message)) bad();
    const packet = (read(viewOf(message as ArrayBuffer)) || {}) as Packet;
    const { type, nsp, id, data } = packet;
    if (typeof type != "number" || typeof nsp != "string" || !(id === undefined || Number.isInteger(id)) || !(data === undefined ? type == 0 || type == 1 : valid(packet))) bad();
    this._done(packet);
  }

  destroy(): void {}
}

/** For the option `parser`. */
const parser: Parser = { Encoder, Decoder };
export { parser, parser as default };
