import { type Binary, given, isBinary } from "./binary";

/** The revision of the Socket.IO protocol. */
export const protocol = 5;

// The types of packets; those with attachments are three more than those without.
export const CONNECT = 0;
export const DISCONNECT = 1;
export const EVENT = 2;
export const ACK = 3;
export const CONNECT_ERROR = 4;
const BINARY = 3;

/** A Socket.IO packet. */
export interface Packet {
  /** 0 CONNECT, 1 DISCONNECT, 2 EVENT, 3 ACK, 4 CONNECT_ERROR. */
  type: number;
  nsp: string;
  data?: unknown;
  id?: number;
  /** How many attachments belong to it; only while it is decoded. */
  attachments?: number;
  options?: { compress?: boolean };
}

/**
 * How packets become messages and messages packets. The default writes JSON
 * with attachments; `msgpack` is another.
 */
export interface Parser {
  Encoder: new () => { encode(packet: Packet): unknown[] };
  Decoder: new () => {
    /** Sets who gets each whole packet; the event is "decoded". */
    on(event: string, listener: (packet: Packet) => void): unknown;
    add(message: unknown): void;
    destroy(): void;
  };
}

/** Event names that mean something to the client itself. */
export const reserved = /^(connect(_error)?|disconnect(ing)?|(new|remove)Listener)$/;

const maxAttachments = 10;

interface Dict {
  [key: string]: unknown;
}

/** The development build says what is wrong with a packet. */
const bad = (text: unknown): never => {
  throw Error((text as string) || "invalid packet");
};

const hasBinary = (value: unknown, afterToJSON?: boolean): unknown =>
  value &&
  typeof value == "object" &&
  (isBinary(value) ||
    (!afterToJSON && (value as Dict).toJSON
      ? hasBinary((value as { toJSON(): unknown }).toJSON(), true)
      : Object.values(value).some((v) => hasBinary(v))));

/** Writes packets as a text message, and one binary message per attachment. */
class Encoder {
  encode({ type, nsp, id, data }: Packet): (string | Binary)[] {
    const attachments: Binary[] = [];
    const binary = hasBinary(data);
    const json = JSON.stringify(
      data,
      // The replacer sees the value before toJSON in its holder, which is where
      // the bytes of a Node Buffer still are.
      (binary &&
        function (this: Dict, key: string, value: unknown) {
          const bytes = isBinary(value) ? value : this[key];
          return isBinary(bytes) ? { ["_placeholder"]: true, num: attachments.push(bytes) - 1 } : value;
        }) as never,
    );
    return [
      (binary ? type + BINARY + (attachments.length + "-") : type) + (nsp == "/" ? "" : nsp + ",") + (id ?? "") + (json || ""),
      ...attachments,
    ];
  }
}

/** Reads messages and tells of each whole packet. */
class Decoder {
  /** The packet that waits for attachments. @internal */
  _pending?: Packet;
  /** @internal */
  _buffers: unknown[] = [];
  /** @internal */
  declare _done: (packet: Packet) => void;

  on(_: string, listener: (packet: Packet) => void): void {
    this._done = listener;
  }

  /** Takes the next message; throws if it breaks the protocol. */
  add(message: unknown): void {
    let packet = this._pending;
    if (typeof message == "string") {
      if (packet) bad(__DEV__ && "got plaintext data when reconstructing a packet");
      packet = decodeText(message);
    } else {
      if (!isBinary(message)) bad(__DEV__ && "Unknown type: " + message);
      if (!packet) return bad(__DEV__ && "got binary data when not reconstructing a packet");
      this._buffers.push(given(message));
    }
    if (this._buffers.length < packet.attachments!) this._pending = packet;
    else {
      if (packet.attachments) {
        packet.data = fill(packet.data, this._buffers);
        delete packet.attachments;
        this.destroy();
      }
      this._done(packet);
    }
  }

  /** Forgets a packet of which only a part has arrived. */
  destroy(): void {
    this._pending = undefined;
    this._buffers = [];
  }
}

function decodeText(text: string): Packet {
  // <type>[<n>-][<nsp>,][<id>][JSON]
  const [, kind, count, nsp = "/", id, json] = /^([0-6]?)(?:(\d+)-)?(?:(\/[^,]*),?)?(\d*)([^]*)/.exec(text)!;
  const type = +kind;
  const binary = type > CONNECT_ERROR;
  const packet: Packet = { type: binary ? type - BINARY : type, nsp };
  if (!kind) bad(__DEV__ && "unknown packet type " + parseInt(text[0]));
  if (binary) {
    packet.attachments = +count;
    if (!packet.attachments) bad(__DEV__ && "Illegal attachments");
    if (packet.attachments > maxAttachments) bad(__DEV__ && "too many attachments");
  } else if (count) bad(__DEV__ && "invalid payload");
  if (id) packet.id = +id;
  if (json) {
    try {
      packet.data = JSON.parse(json);
    } catch (_) {}
    const { data } = packet;
    const list = Array.isArray(data);
    const dict = !list && data && typeof data == "object";
    const name = list && data[0];
    if (
      ![
        dict, // CONNECT
        0, // DISCONNECT
        typeof name == "number" || (typeof name == "string" && !reserved.test(name)), // EVENT
        list, // ACK
        dict || typeof data == "string", // CONNECT_ERROR
      ][packet.type]
    ) {
      bad(__DEV__ && "invalid payload");
    }
  }
  return packet;
}

/** Puts the attachments in the places that were kept for them. */
function fill(value: unknown, buffers: unknown[]): unknown {
  if (value && typeof value == "object") {
    const dict = value as Dict;
    if (dict["_placeholder"] === true) {
      return typeof dict.num == "number" && dict.num in buffers ? buffers[dict.num] : bad(__DEV__ && "illegal attachments");
    }
    for (const key of Object.keys(dict)) dict[key] = fill(dict[key], buffers);
  }
  return value;
}

/** The codec that servers understand unless they are told otherwise. */
export const json: Parser = { Encoder, Decoder };
