/** What may travel as an attachment. */
export type Binary = ArrayBuffer | ArrayBufferView | Blob;
/** Bytes of any realm: a frame's ArrayBuffer is no instance of ours. */
export declare const isBinary: (value: unknown) => value is Binary;
/** Bytes as an application gets them. */
export declare const given: (bytes: unknown) => unknown;
/** How many bytes a message has, as it is. */
export declare const sizeOf: (data: string | Binary) => number;
