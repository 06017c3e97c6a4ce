import { Emitter } from "./emitter";
/** The revision of the Socket.IO protocol. */
export declare const protocol = 5;
/** The types of packets. */
export declare enum PacketType {
    CONNECT = 0,
    DISCONNECT = 1,
    EVENT = 2,
    ACK = 3,
    CONNECT_ERROR = 4,
    BINARY_EVENT = 5,
    BINARY_ACK = 6
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
    options?: {
        compress?: boolean;
    };
}
/**
 * How packets become messages and messages packets. The default writes JSON
 * with attachments; `socket.io-msgpack-parser` is another.
 */
export interface Parser {
    Encoder: new () => {
        encode(packet: Packet): unknown[];
    };
    Decoder: new () => Emitter & {
        add(message: unknown): void;
        destroy(): void;
    };
}
/** Event names that mean something to the client itself. */
export declare const reserved: RegExp;
export declare const isBinary: (value: unknown) => value is Binary;
/** Writes packets as a text message, and one binary message per attachment. */
export declare class Encoder {
    encode(packet: Packet): (string | Binary)[];
}
/** Reads messages and emits "decoded" with each whole packet. */
export declare class Decoder extends Emitter<{
    decoded: (packet: Packet) => void;
}> {
    /** Takes the next message; throws if it breaks the protocol. */
    add(message: unknown): void;
    /** Forgets a packet of which only a part has arrived. */
    destroy(): void;
}
