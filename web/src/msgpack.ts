// The codec of socket.io-msgpack-parser: a packet is one binary message. It is
// smaller and quicker than JSON where there are bytes and numbers.
import { given, isBinary, viewOf } from "./binary";
import { bad, type Packet, type Parser, valid } from "./parser";

/** Values may be nested this deep in what a server sends. */
const maxDepth = 500;

let buffer = new Uint8Array(1024);
let at = 0;

/** Makes room for n bytes before `at`; that may replace the buffer. */
function room(n: number): void {
  at += n;
  if (at > buffer.length) {
    const larger = new Uint8Array(at * 2);
    larger.set(buffer);
    buffer = larger;
  }
}

/** Writes a type, and an integer of so many bytes, the highest first. */
function put(type: number, size = 0, value = 0): void {
  room(size + 1);
  buffer[at - size - 1] = type;
  while (size) buffer[at - size] = Math.floor(value / 256 ** --size);
}

/** Writes an integer or a length: within a type if it is below the limit, or after the type for the fewest bytes. */
function head(value: number, type: number, limit?: number, within?: number, size = 1): void {
  if (value < limit!) put(within! + value);
  else {
    for (; (value < 0 ? -2 * value - 1 : value) >= 256 ** size; size *= 2) type++;
    put(type, size, value);
  }
}

function writeBytes(bytes: Uint8Array, type: number, limit?: number, within?: number): void {
  const { length } = bytes;
  head(length, type, limit, within);
  room(length);
  buffer.set(bytes, at - length);
}

function write(value: any): void {
  const type = typeof value;
  if (type == "string") {
    writeBytes(new TextEncoder().encode(value), 0xd9, 32, 0xa0);
  } else if (type == "number") {
    if (!Number.isSafeInteger(value)) {
      put(0xcb);
      room(8);
      new DataView(buffer.buffer).setFloat64(at - 8, value);
    } else if (value < -32) head(value, 0xd0);
    else head(value, 0xcc, 128, 0);
  } else if (value === null) put(0xc0);
  else if (value === undefined) put(0xd4, 2);
  else if (type == "boolean") put(value ? 0xc3 : 0xc2);
  else if (type != "object") bad("cannot be sent: " + type);
  else if (Array.isArray(value)) {
    head(value.length, 0xdc, 16, 0x90, 2);
    for (const item of value) write(item);
  } else if (value instanceof Date) {
    put(0xd7);
    put(0, 8, value.getTime());
  } else if (isBinary(value)) {
    if ((value as Blob).size != null) bad("cannot be sent: " + (__DEV__ ? "a Blob with MessagePack; use its arrayBuffer()" : "Blob"));
    writeBytes(viewOf(value as ArrayBuffer), 0xc4);
  } else if (typeof value.toJSON == "function") write(value.toJSON());
  else {
    const entries = Object.entries(value).filter(([, v]) => typeof v != "function");
    head(entries.length, 0xde, 16, 0x80, 2);
    for (const item of entries.flat()) write(item);
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
  const uint = (size: number, value = 0) => {
    for (let i = take(size); size--; ) value = value * 256 + input[i++];
    return value;
  };
  const int = (size: number) => uint(size, -(input[pos] >> 7));
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
    if (!type && fixed && n == 8) return new Date(int(8));
    return type || fixed ? [type, binary(n)] : binary(n);
  };
  // How many types there are of each kind, in order, and what follows them.
  const kinds: [count: number, get: (n: number) => unknown][] = [
    [0x80, (n) => n],
    [0x10, dict],
    [0x10, list],
    [0x20, text],
    [4, (n) => (n == 1 ? bad() : [null, , false, true][n])],
    [3, (n) => binary(uint(1 << n))],
    [3, (n) => ext(uint(1 << n))],
    [2, (n) => (n ? data.getFloat64(take(8)) : data.getFloat32(take(4)))],
    [4, (n) => uint(1 << n)],
    [4, (n) => int(1 << n)],
    [5, (n) => ext(1 << n, true)],
    [3, (n) => text(uint(1 << n))],
    [2, (n) => list(uint(2 << n))],
    [2, (n) => dict(uint(2 << n))],
    [0x20, (n) => n - 32],
  ];
  function value(): unknown {
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

/** Writes a packet as one binary message. */
export class Encoder {
  encode({ type, data, nsp, id }: Packet): unknown[] {
    at = 0;
    write({ type, nsp, ...(data != null && { data }), ...(id != null && { id }) });
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
    const { type, nsp, id = 0, data } = packet;
    if (!(typeof type == "number" && typeof nsp == "string" && Number.isInteger(id) && (data === undefined ? [1, 1][type] : valid(packet)))) bad();
    this._done(packet);
  }

  destroy(): void {}
}

/** For the option `parser`. */
const parser: Parser = { Encoder, Decoder };
export { parser, parser as default };
