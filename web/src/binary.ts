/** What may travel as an attachment. */
export type Binary = ArrayBuffer | ArrayBufferView | Blob;

/** Bytes of any realm: a frame's ArrayBuffer is no instance of ours. */
export const isBinary = (value: unknown): value is Binary =>
  ArrayBuffer.isView(value) || /(Buffer|Blob|File)]$/.test({}.toString.call(value));

declare const Buffer: { from(data: unknown): ArrayBuffer };

/** Bytes as an application gets them. */
export const given = (bytes: unknown): unknown => (bytes instanceof ArrayBuffer ? Buffer.from(bytes) : bytes);

/** How long a message is: bytes, or characters of text. */
export const lengthOf = (data: string | Binary): number =>
  (data as ArrayBuffer).byteLength ?? (data as Blob).size ?? (data as string).length;

/** How many bytes a message has. */
export const sizeOf = (data: string | Binary): number => lengthOf(typeof data == "string" ? new TextEncoder().encode(data) : data);

/** The bytes of a view or an ArrayBuffer, as they are. */
export const viewOf = (data: ArrayBuffer | ArrayBufferView): Uint8Array =>
  new Uint8Array((data as ArrayBufferView).buffer || data, (data as ArrayBufferView).byteOffset, data.byteLength);

/** The same, also of a Blob, which has to be read. */
export const bytesOf = async (data: Binary): Promise<Uint8Array> => viewOf((data as Blob).size != null ? await (data as Blob).arrayBuffer() : (data as ArrayBuffer));

/** Throws if the server would take a message for too large. */
export function check(message: string | Binary, max: number): void {
  const size = sizeOf(message);
  if (size >= max) throw Error(`payload too large: ${size} > ${max}`);
}
