export * from "./binary";
/** The revision of the Socket.IO protocol. */
export declare const protocol = 5;
/** A Socket.IO packet. */
export interface Packet {
    /** 0 CONNECT, 1 DISCONNECT, 2 EVENT, 3 ACK, 4 CONNECT_ERROR. */
    type: number;
    nsp: string;
    data?: unknown;
    id?: number;
    options?: {
        compress?: boolean;
    };
}
/**
 * How packets become messages and messages packets. The default writes JSON
 * with attachments; `msgpack` is another.
 */
export interface Parser {
    Encoder: new () => {
        encode(packet: Packet): unknown[];
    };
    Decoder: new () => {
        /** Sets who gets each whole packet; the event is "decoded". */
        on(event: string, listener: (packet: Packet) => void): unknown;
        add(message: unknown): void;
        destroy(): void;
    };
}
/** Event names that mean something to the client itself. */
export declare const reserved: RegExp;
/** The development build says what is wrong with a packet. */
export declare const bad: (text?: unknown) => never;
/** Whether a packet has data of the kind that its type needs. */
export declare function valid({ type, data }: Packet): unknown;
/** The codec that servers understand unless they are told otherwise. */
export declare const json: Parser;
