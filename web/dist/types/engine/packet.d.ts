import type { Binary } from "../parser";
/** The types of Engine.IO packets, in the order of their numbers. */
export declare const packetTypes: readonly ["open", "close", "ping", "pong", "message", "upgrade", "noop"];
export type PacketName = (typeof packetTypes)[number];
/** A message as applications give it to a transport. */
export type RawData = string | Binary;
/** An Engine.IO packet. */
export interface EnginePacket {
    type: PacketName;
    data?: RawData;
    options?: {
        compress?: boolean;
    };
}
/** Writes a packet without bytes as text. */
export declare const encodeText: ({ type, data }: EnginePacket) => string;
/** Writes a packet as text, bytes as base64. */
export declare const encodeBase64: (packet: EnginePacket) => Promise<string>;
/** Reads a packet that came as text; undefined if it is none. */
export declare function decodeText(text: string): EnginePacket | undefined;
