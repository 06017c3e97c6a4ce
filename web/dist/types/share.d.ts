import type { Options } from "./io";
import type { Socket } from "./socket";
export type ConnectionState = "connected" | "connecting" | "disconnected";
export type AnySocket = Socket<any, any>;
interface Shared {
    socket: AnySocket;
    users: number;
}
/** The socket of an address; the options are those of the first who asks. It does not connect. */
export declare function share(uri?: string, options?: Options): Shared;
/** Connects, until what is returned has been called by the last user. */
export declare function hold(shared: Shared, uri?: string): () => void;
export declare const stateOf: ({ connected, active }: AnySocket) => ConnectionState;
/** Calls back whenever the state may have changed; returns the way out. */
export declare function watchState(socket: AnySocket, changed: () => void): () => void;
export {};
