import { type Binary, given, isBinary } from "./binary";
import { Type } from "./kinds";

// Other entry points take both from the file that this becomes.
export * from "./binary";

/** The revision of the Socket.IO protocol. */
export const protocol = 5;

/** A Socket.IO packet. */
export interface Packet {
  /** 0 CONNECT, 1 DISCONNECT, 2 EVENT, 3 ACK, 4 CONNECT_ERROR. */
  type: number;
  nsp: string;
  data?: unknown;
  id?: number;
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
          const bytes = this[key];
          return isBinary(bytes) ? { ["_placeholder"]: true, num: attachments.push(bytes) - 1 } : value;
        }) as never,
    );
    return [(attachments[0] ? type + Type.Binary + (attachments.length + "-") : type) + (nsp == "/" ? "" : nsp + ",") + (id ?? "") + (json ?? ""), ...attachments];
  }
}

/** Why the beginning of a message is none, for the development build. */
const whyNot = (text: string): string =>
  /^[56]0*[1-9]\d*-/.test(text) ? "too many attachments" : /^[56]/.test(text) ? "Illegal attachments" : "unknown packet type " + parseInt(text[0]);

/** Reads messages and tells of each whole packet. */
class Decoder {
  /** Takes the next attachment, while there is one to come. @internal */
  declare _attach?: (bytes: unknown) => void;
  /** @internal */
  declare _done: (packet: Packet) => void;

  on(_: string, listener: (packet: Packet) => void): void {
    this._done = listener;
  }

  /** Takes the next message; throws if it breaks the protocol. */
  add(message: unknown): void {
    const { _attach: attach } = this;
    if ((typeof message == "string") == !!attach) {
      bad(__DEV__ && (attach ? "got plaintext data when reconstructing a packet" : "got binary data when not reconstructing a packet"));
    }
    if (attach) return attach(message);
    // <type>[<n>-][<nsp>,][<id>][JSON], with up to ten attachments
    const [, kind, binary, count, nsp = "/", id, json] =
      /^(?:([0-4])|([56])(0*[1-9]|0*10)-)(?:(\/[^,]*),?)?(\d*)([^]*)/.exec(message as string) || bad(__DEV__ && whyNot(message as string));
    const packet: Packet = { type: +(kind || +binary - Type.Binary), nsp };
    if (id) packet.id = +id;
    if (json) {
      packet.data = JSON.parse(json);
      if (!valid(packet)) bad(__DEV__ && "invalid payload");
    }
    if (binary) {
      const attachments: unknown[] = [];
      this._attach = (bytes) => {
        if (attachments.push(__NODE__ ? given(bytes) : bytes) < +count) return;
        // Again, now that there is something for the places that were kept.
        if (json) packet.data = JSON.parse(json, (_, value) => (value?.["_placeholder"] === true ? (typeof value.num == "number" && attachments[value.num]) || bad(__DEV__ && "illegal attachments") : value));
        this._attach = undefined;
        this._done(packet);
      };
    } else this._done(packet);
  }

  /** Forgets a packet of which only a part has arrived. */
  destroy(): void {
    this._attach = undefined;
  }
}

/** The codec that servers understand unless they are told otherwise. */
export const json: Parser = { Encoder, Decoder };
