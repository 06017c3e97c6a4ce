/** What may come in place of an answer. */
export interface AckError {
  code: string;
  message: string;
  data?: unknown;
}
export interface Say {
  user: string;
  message: string;
}
export interface Said {
  user: string;
  message: string;
  timestamp: number;
}
export interface ClientToServerEvents {
  "chat message": (arg: Say) => void;
}
export interface ServerToClientEvents {
  "chat message": (arg: Said) => void;
}
