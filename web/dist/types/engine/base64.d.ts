import type { Binary } from "../parser";
/** Encodes bytes; a Blob is read first, which is why it takes a promise. */
export declare function toBase64(data: Binary): Promise<string>;
export declare const fromBase64: (text: string) => ArrayBuffer;
