import type { Binary } from "../binary";

/** The types of Engine.IO packets, in the order of their numbers. */
export const packetTypes = ["open", "close", "ping", "pong", "message", "upgrade", "noop"] as const;

export type PacketName = (typeof packetTypes)[number];

/** A message as applications give it to a transport. */
export type RawData = string | Binary;

/** An Engine.IO packet. */
export interface EnginePacket {
  type: PacketName;
  data?: RawData;
}

/** Writes a packet as a frame: as text, but bytes as they are. */
export const encode = ({ type, data = "" }: EnginePacket): RawData =>
  typeof data == "string" ? packetTypes.indexOf(type) + data : data;

/** Reads a frame; undefined if it is no packet. */
export function decode(data: RawData): EnginePacket | undefined {
  if (typeof data != "string") return { type: "message", data };
  const type = packetTypes[data[0] as unknown as number];
  return type && { type, data: data.slice(1) };
}
