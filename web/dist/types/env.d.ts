/** The part of a WebSocket constructor that the client uses. */
export interface WebSocketConstructor {
    new (url: string, protocols?: string | string[], options?: any): any;
}
/** Defaults that an entry point may set before the first connection. */
export declare const env: {
    WebSocket?: WebSocketConstructor;
};
/** The global scope, seen as a place where events such as "online" happen. */
export declare const scope: typeof globalThis & {
    location?: Location;
    WebSocket?: WebSocketConstructor;
};
export type Timer = ReturnType<typeof setTimeout>;
/** A timer that does not keep a Node process alive if `unref` is set. */
export declare function later(fn: () => void, ms: number, unref?: boolean): Timer;
/** Runs fn soon, and apart from the caller: what it throws is nobody else's. */
export declare const soon: (fn: () => void) => void;
/** Listens to events of the page, where there is one; returns the way out. */
export declare function onPage(events: string[], listener: (event: Event) => void): () => void;
