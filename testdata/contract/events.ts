/** What may come in place of an answer. */
export interface AckError {
  code: string;
  message: string;
  data?: unknown;
}
/** Bytes as a browser gets them; in Node they are a Buffer. */
export type Bytes = ArrayBuffer;
/** Bytes as they may be sent. */
export type BytesToSend = ArrayBuffer | ArrayBufferView | Blob;
export interface contractNode {
  name: string;
  children?: (contractNode | null)[];
}
export interface contractFileToSend {
  name: string;
  data: BytesToSend;
  tags: { [key: string]: number };
  at: string;
  extra: unknown;
  Raw: unknown;
  size: string;
  owner: string | null;
  ratio?: number;
  with: { "with-dash": boolean; };
}
export interface contractFile {
  name: string;
  data: Bytes;
  tags: { [key: string]: number };
  at: string;
  extra: unknown;
  Raw: unknown;
  size: string;
  owner: string | null;
  ratio?: number;
  with: { "with-dash": boolean; };
}
export interface ClientToServerEvents {
  "join": (arg: contractNode, ack: (reply: { Count: number; } | { error: AckError }) => void) => void;
  "move": (x: number, y: number, default_: string[]) => void;
  "file upload": (arg: contractFileToSend, ack: (reply?: { error: AckError }) => void) => void;
  "where am I": (ack: (x: number | { error: AckError }, y: number, default_: string[]) => void) => void;
  "it's \"quoted\"": () => void;
}
export interface ServerToClientEvents {
  "new file": (arg: contractFile) => void;
  "tree": (arg: contractNode[]) => void;
  "question": (arg: (boolean | null)[], ack: (reply: number) => void) => void;
}
