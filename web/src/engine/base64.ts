import type { Binary } from "../parser";

/** Encodes bytes; a Blob is read first, which is why it takes a promise. */
export async function toBase64(data: Binary): Promise<string> {
  if (typeof Blob != "undefined" && data instanceof Blob) data = await data.arrayBuffer();
  const bytes = ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data as ArrayBuffer);
  let text = "";
  // In slices, because a call takes only so many arguments.
  for (let i = 0; i < bytes.length; i += 8192) {
    text += String.fromCharCode.apply(null, bytes.subarray(i, i + 8192) as unknown as number[]);
  }
  return btoa(text);
}

export const fromBase64 = (text: string): ArrayBuffer =>
  Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
