import { type EnginePacket } from "./packet";
/** Writes a packet as text, bytes as base64; a Blob has to be read first. */
export declare function encodeBase64(packet: EnginePacket): Promise<string>;
/** Reads a packet that came as text, bytes as base64; undefined if it is none. */
export declare function decodeBase64(text: string): EnginePacket | undefined;
