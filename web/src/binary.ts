/** What may travel as an attachment. */
export type Binary = ArrayBuffer | ArrayBufferView | Blob;

/** Bytes of any realm: a frame's ArrayBuffer is no instance of ours. */
export const isBinary = (value: unknown): value is Binary =>
  ArrayBuffer.isView(value) || /(Buffer|Blob|File)]$/.test({}.toString.call(value));

declare const Buffer: { from(data: unknown): ArrayBuffer };

/** Bytes as an application gets them. */
export const given = (bytes: unknown): unknown => (__NODE__ && bytes instanceof ArrayBuffer ? Buffer.from(bytes) : bytes);

/** How many bytes a message has, as it is. */
export const sizeOf = (data: string | Binary): number =>
  typeof data == "string" ? new TextEncoder().encode(data).length : ((data as ArrayBuffer).byteLength ?? (data as Blob).size);
