import type { Binary } from "../binary";
/** The types of Engine.IO packets, in the order of their numbers. */
export declare const packetTypes: readonly ["open", "close", "ping", "pong", "message", "upgrade", "noop"];
export type PacketName = (typeof packetTypes)[number];
/** A message as applications give it to a transport. */
export type RawData = string | Binary;
/** An Engine.IO packet. */
export interface EnginePacket {
    type: PacketName;
    data?: RawData;
}
/** Writes a packet as a frame: as text, but bytes as they are. */
export declare const encode: ({ type, data }: EnginePacket) => RawData;
/** Reads a frame; undefined if it is no packet. */
export declare function decode(data: RawData): EnginePacket | undefined;
