import type { Binary } from "../parser";
import { fromBase64, toBase64 } from "./base64";

/** The types of Engine.IO packets, in the order of their numbers. */
export const packetTypes = ["open", "close", "ping", "pong", "message", "upgrade", "noop"] as const;

export type PacketName = (typeof packetTypes)[number];

/** A message as applications give it to a transport. */
export type RawData = string | Binary;

/** An Engine.IO packet. */
export interface EnginePacket {
  type: PacketName;
  data?: RawData;
  options?: { compress?: boolean };
}

/** Writes a packet without bytes as text. */
export const encodeText = ({ type, data }: EnginePacket): string => packetTypes.indexOf(type) + ((data as string) || "");

/** Writes a packet as text, bytes as base64. */
export const encodeBase64 = async (packet: EnginePacket): Promise<string> =>
  packet.data && typeof packet.data != "string" ? "b" + (await toBase64(packet.data)) : encodeText(packet);

/** Reads a packet that came as text; undefined if it is none. */
export function decodeText(text: string): EnginePacket | undefined {
  if (text[0] == "b") {
    try {
      return { type: "message", data: fromBase64(text.slice(1)) };
    } catch (_) {
      return;
    }
  }
  const type = packetTypes[text[0] as unknown as number];
  return type && (text.length > 1 ? { type, data: text.slice(1) } : { type });
}
