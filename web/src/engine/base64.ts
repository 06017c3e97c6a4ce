import { scope } from "../env";
import { encode, decode, type EnginePacket } from "./packet";

/** Writes a packet as text, bytes as base64; a Blob has to be read first. */
export async function encodeBase64(packet: EnginePacket): Promise<string> {
  const message = encode(packet);
  if (typeof message == "string") return message;
  const { buffer, byteOffset, byteLength } = ArrayBuffer.isView(message) ? message : new Uint8Array(await new Response(message as Blob).arrayBuffer());
  let text = "";
  // In slices, because a call takes only so many arguments.
  for (let i = 0; i < byteLength; i += 8192) {
    text += String.fromCharCode(...new Uint8Array(buffer, byteOffset + i, Math.min(8192, byteLength - i)));
  }
  return "b" + scope.btoa(text);
}

/** Reads a packet that came as text, bytes as base64; undefined if it is none. */
export function decodeBase64(text: string): EnginePacket | undefined {
  if (text[0] != "b") return decode(text);
  try {
    return { type: "message", data: Uint8Array.from(scope.atob(text.slice(1)), (c) => c.charCodeAt(0)).buffer };
  } catch (_) {}
}
