import { bytesOf } from "../binary";
import { encode, decode, type EnginePacket } from "./packet";

/** Writes a packet as text, bytes as base64; a Blob has to be read first. */
export async function encodeBase64(packet: EnginePacket): Promise<string> {
  const message = encode(packet);
  return typeof message == "string" ? message : "b" + btoa(Array.from(await bytesOf(message), (byte) => String.fromCharCode(byte)).join(""));
}

/** Reads a packet that came as text, bytes as base64; undefined if it is none. */
export function decodeBase64(text: string): EnginePacket | undefined {
  try {
    return decode(text[0] == "b" ? Uint8Array.from(atob(text.slice(1)), (c) => c.charCodeAt(0)).buffer : text);
  } catch (_) {}
}
