import { type Binary, given, isBinary } from "./binary";

/** The revision of the Socket.IO protocol. */
export const protocol = 5;

/** The types of packets; those with attachments are three more than those without. */
export const enum Type {
  Connect,
  Disconnect,
  Event,
  Ack,
  ConnectError,
  Binary = 3,
}

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

/** The development build says what is wrong with a packet. */
export const bad = (text?: unknown): never => {
  throw Error((text as string) || "invalid packet");
};

/** Whether a packet has data of the kind that its type needs. */
export function valid({ type, data }: Packet): unknown {
  const list = Array.isArray(data);
  const dict = {}.toString.call(data) == "[object Object]";
  const name = list && data[0];
  return [
    dict, // CONNECT
    0, // DISCONNECT
    typeof name == "number" || (typeof name == "string" && !reserved.test(name)), // EVENT
    list, // ACK
    dict || typeof data == "string", // CONNECT_ERROR
  ][type];
}

/** Whether there may be bytes in a value; who knows what toJSON makes. */
const mayHaveBinary = (value: any): unknown =>
  value && typeof value == "object" && (value.toJSON || isBinary(value) || Object.values(value).some(mayHaveBinary));

/** Writes packets as a text message, and one binary message per attachment. */
class Encoder {
  encode({ type, nsp, id, data }: Packet): (string | Binary)[] {
    const attachments: Binary[] = [];
    const json = JSON.stringify(
      data,
      // The replacer sees the value before toJSON in its holder, which is where
      // the bytes of a Node Buffer still are.
      (mayHaveBinary(data) &&
        function (this: Record<string, unknown>, key: string, value: unknown) {
          const bytes = isBinary(value) ? value : this[key];
          return isBinary(bytes) ? { ["_placeholder"]: true, num: attachments.push(bytes) - 1 } : value;
        }) as never,
    );
    const { length } = attachments;
    return [(length ? type + Type.Binary + (length + "-") : type) + (nsp == "/" ? "" : nsp + ",") + (id ?? "") + (json ?? ""), ...attachments];
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
    const { _pending: packet, _buffers: buffers } = this;
    const text = typeof message == "string";
    if (text ? packet : !packet || !isBinary(message)) {
      bad(__DEV__ && (text ? "got plaintext data when reconstructing a packet" : packet ? "Unknown type: " + message : "got binary data when not reconstructing a packet"));
    }
    if (text) this._text(message);
    else if (buffers.push(given(message)) == packet!.attachments) {
      packet!.data = fill(packet!.data, buffers);
      delete packet!.attachments;
      this.destroy();
      this._done(packet!);
    }
  }

  /** Forgets a packet of which only a part has arrived. */
  destroy(): void {
    this._pending = undefined;
    this._buffers = [];
  }

  /** @internal */
  _text(text: string): void {
    // <type>[<n>-][<nsp>,][<id>][JSON]
    const [, kind, count, nsp = "/", id, json] = /^([0-6]?)(?:(\d+)-)?(?:(\/[^,]*),?)?(\d*)([^]*)/.exec(text)!;
    const binary = +kind > Type.ConnectError;
    const packet: Packet = { type: binary ? +kind - Type.Binary : +kind, nsp };
    if (!kind || (binary ? !(+count > 0 && +count <= maxAttachments) : count)) {
      bad(__DEV__ && (!kind ? "unknown packet type " + parseInt(text[0]) : !binary ? "invalid payload" : +count ? "too many attachments" : "Illegal attachments"));
    }
    if (binary) packet.attachments = +count;
    if (id) packet.id = +id;
    if (json) {
      try {
        packet.data = JSON.parse(json);
      } catch (_) {}
      if (!valid(packet)) bad(__DEV__ && "invalid payload");
    }
    if (binary) this._pending = packet;
    else this._done(packet);
  }
}

/** Puts the attachments in the places that were kept for them. */
function fill(value: unknown, buffers: unknown[]): unknown {
  if (value && typeof value == "object") {
    const dict = value as Record<string, unknown>;
    if (dict["_placeholder"] === true) {
      return (typeof dict.num == "number" && buffers[dict.num]) || bad(__DEV__ && "illegal attachments");
    }
    for (const key in dict) dict[key] = fill(dict[key], buffers);
  }
  return value;
}

/** The codec that servers understand unless they are told otherwise. */
export const json: Parser = { Encoder, Decoder };
