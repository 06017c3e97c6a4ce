/** What may come in place of an answer. */
export interface AckError {
  code: string;
  message: string;
  data?: unknown;
}
export interface Join {
  username: string;
}
export interface Say {
  message: string;
}
export interface Edit {
  id: string;
  message: string;
}
export interface Whisper {
  to: string;
  message: string;
}
export interface Message {
  id: string;
  username: string;
  userId: string;
  message: string;
  timestamp: number;
  edited: boolean;
  room: string;
}
export interface Removed {
  id: string;
}
export interface Whispered {
  from: User;
  to: User;
  message: string;
  timestamp: number;
}
export interface User {
  id: string;
  username: string;
  joinTime: number;
  isTyping: boolean;
  room: string;
}
export interface Presence {
  username: string;
  id: string;
}
export interface Typing {
  username: string;
  isTyping: boolean;
}
export interface Trouble {
  code: string;
  message: string;
}
export interface ClientToServerEvents {
  "user join": (arg: Join) => void;
  "chat message": (arg: Say) => void;
  "edit message": (arg: Edit) => void;
  "delete message": (arg: string) => void;
  "private message": (arg: Whisper) => void;
  "typing": (arg: boolean) => void;
  "join room": (arg: string, ack: (reply: Message[] | { error: AckError }) => void) => void;
  "server time": (ack: (reply: number | { error: AckError }) => void) => void;
}
export interface ServerToClientEvents {
  "message history": (arg: Message[]) => void;
  "chat message": (arg: Message) => void;
  "message edited": (arg: Message) => void;
  "message deleted": (arg: Removed) => void;
  "private message": (arg: Whispered) => void;
  "user list": (arg: User[]) => void;
  "user joined": (arg: Presence) => void;
  "user left": (arg: Presence) => void;
  "user typing": (arg: Typing) => void;
  "error": (arg: Trouble) => void;
}
