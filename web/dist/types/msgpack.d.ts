import { type Packet, type Parser } from "./parser";
/** Writes a packet as one binary message. */
export declare class Encoder {
    encode({ type, data, nsp, id }: Packet): unknown[];
}
/** Reads such messages. */
export declare class Decoder {
    on(_: string, listener: (packet: Packet) => void): void;
    add(message: unknown): void;
    destroy(): void;
}
/** For the option `parser`. */
declare const parser: Parser;
export { parser, parser as default };
