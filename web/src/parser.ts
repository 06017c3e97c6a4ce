import { Emitter } from "./emitter";

/** The revision of the Socket.IO protocol. */
export const protocol = 5;

/** The types of packets. */
export enum PacketType {
  CONNECT,
  DISCONNECT,
  EVENT,
  ACK,
  CONNECT_ERROR,
  BINARY_EVENT,
  BINARY_ACK,
}

/** What may travel as an attachment. */
export type Binary = ArrayBuffer | ArrayBufferView | Blob;

/** A Socket.IO packet. */
export interface Packet {
  type: PacketType;
  nsp: string;
  data?: unknown;
  id?: number;
  /** How many attachments belong to it; only while it is decoded. */
  attachments?: number;
  options?: { compress?: boolean };
}

/**
 * How packets become messages and messages packets. The default writes JSON
 * with attachments; `socket.io-msgpack-parser` is another.
 */
export interface Parser {
  Encoder: new () => { encode(packet: Packet): unknown[] };
  Decoder: new () => Emitter & { add(message: unknown): void; destroy(): void };
}

/** Event names that mean something to the client itself. */
export const reserved = /^(connect|connect_error|disconnect|disconnecting|newListener|removeListener)$/;

const maxAttachments = 10;

export const isBinary = (value: unknown): value is Binary =>
  value instanceof ArrayBuffer ||
  ArrayBuffer.isView(value) ||
  (typeof Blob != "undefined" && value instanceof Blob) ||
  // An ArrayBuffer of another realm: a frame, or a test environment.
  Object.prototype.toString.call(value) == "[object ArrayBuffer]";

interface Dict {
  [key: string]: unknown;
}

function hasBinary(value: unknown, afterToJSON?: boolean): boolean {
  if (!value || typeof value != "object") return false;
  if (isBinary(value)) return true;
  const dict = value as Dict;
  if (!afterToJSON && typeof dict.toJSON == "function") return hasBinary(dict.toJSON(), true);
  return Object.keys(dict).some((key) => hasBinary(dict[key]));
}

/** Writes packets as a text message, and one binary message per attachment. */
export class Encoder {
  encode(packet: Packet): (string | Binary)[] {
    let { type } = packet;
    let attachments = "";
    const messages: (string | Binary)[] = [""];
    let json: string | undefined;
    if ((type == PacketType.EVENT || type == PacketType.ACK) && hasBinary(packet.data)) {
      type += PacketType.BINARY_EVENT - PacketType.EVENT;
      // The replacer sees the value before toJSON in its holder, which is where
      // the bytes of a Node Buffer still are.
      json = JSON.stringify(packet.data, function (this: Dict, key, value) {
        const bytes = isBinary(value) ? value : this[key];
        return isBinary(bytes) ? { ["_placeholder"]: true, num: messages.push(bytes) - 2 } : value;
      });
      attachments = messages.length - 1 + "-";
    } else {
      json = JSON.stringify(packet.data);
    }
    const { nsp, id } = packet;
    messages[0] = type + attachments + (nsp && nsp != "/" ? nsp + "," : "") + (id == null ? "" : id) + (json || "");
    return messages;
  }
}

/** Reads messages and emits "decoded" with each whole packet. */
export class Decoder extends Emitter<{ decoded: (packet: Packet) => void }> {
  /** The packet that waits for attachments. @internal */
  _pending?: Packet;
  /** @internal */
  _buffers: unknown[] = [];

  /** Takes the next message; throws if it breaks the protocol. */
  add(message: unknown): void {
    const pending = this._pending;
    let packet: Packet;
    if (typeof message == "string") {
      if (pending) throw new Error("got plaintext data when reconstructing a packet");
      packet = decodeText(message);
      if (packet.attachments) {
        this._pending = packet;
        return;
      }
    } else {
      if (!isBinary(message)) throw new Error("Unknown type: " + message);
      if (!pending) throw new Error("got binary data when not reconstructing a packet");
      if (this._buffers.push(message) < pending.attachments!) return;
      packet = pending;
      packet.data = fill(packet.data, this._buffers);
      delete packet.attachments;
      this.destroy();
    }
    this.emit("decoded", packet);
  }

  /** Forgets a packet of which only a part has arrived. */
  destroy(): void {
    this._pending = undefined;
    this._buffers = [];
  }
}

function decodeText(text: string): Packet {
  let type: PacketType = +text[0];
  if (!PacketType[type]) throw new Error("unknown packet type " + type);
  // <type>[<n>-][<nsp>,][<id>][JSON]
  const binary = type >= PacketType.BINARY_EVENT;
  const [, count, nsp, id, json] = /^.(?:(\d+)-)?(?:(\/[^,]*),?)?(\d*)([^]*)/.exec(text)!;
  const attachments = +count;
  if (binary) {
    if (!attachments) throw new Error("Illegal attachments");
    if (attachments > maxAttachments) throw new Error("too many attachments");
    type -= PacketType.BINARY_EVENT - PacketType.EVENT;
  }
  const packet: Packet = { type, nsp: nsp || "/" };
  if (binary) packet.attachments = attachments;
  if (id) packet.id = +id;
  if ((count && !binary) || (json && !accept(packet, json))) throw new Error("invalid payload");
  return packet;
}

/** Reads the payload of packet; reports whether it is one of its type. */
function accept(packet: Packet, json: string): boolean {
  let data: unknown;
  try {
    data = packet.data = JSON.parse(json);
  } catch (_) {
    return false;
  }
  const list = Array.isArray(data);
  const dict = !list && typeof data == "object" && data !== null;
  switch (packet.type) {
    case PacketType.CONNECT:
      return dict;
    case PacketType.DISCONNECT:
      return false;
    case PacketType.CONNECT_ERROR:
      return dict || typeof data == "string";
    case PacketType.ACK:
      return list;
    default: {
      const name: unknown = list && (data as unknown[])[0];
      return typeof name == "number" || (typeof name == "string" && !reserved.test(name));
    }
  }
}

/** Puts the attachments in the places that were kept for them. */
function fill(value: unknown, buffers: unknown[]): unknown {
  if (!value || typeof value != "object") return value;
  const dict = value as Dict;
  if (dict["_placeholder"] === true) {
    const num = dict.num;
    if (typeof num != "number" || !(num in buffers)) throw new Error("illegal attachments");
    return buffers[num];
  }
  for (const key of Object.keys(dict)) dict[key] = fill(dict[key], buffers);
  return dict;
}
