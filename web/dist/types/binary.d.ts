/** What may travel as an attachment. */
export type Binary = ArrayBuffer | ArrayBufferView | Blob;
/** Bytes of any realm: a frame's ArrayBuffer is no instance of ours. */
export declare const isBinary: (value: unknown) => value is Binary;
/** Bytes as an application gets them. */
export declare const given: (bytes: unknown) => unknown;
/** How long a message is: bytes, or characters of text. */
export declare const lengthOf: (data: string | Binary) => number;
/** How many bytes a message has. */
export declare const sizeOf: (data: string | Binary) => number;
/** The bytes of a view or an ArrayBuffer, as they are. */
export declare const viewOf: (data: ArrayBuffer | ArrayBufferView) => Uint8Array;
/** The same, also of a Blob, which has to be read. */
export declare const bytesOf: (data: Binary) => Promise<Uint8Array>;
/** Throws if the server would take a message for too large. */
export declare function check(message: string | Binary, max: number): void;
