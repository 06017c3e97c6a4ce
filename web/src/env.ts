// What differs between browsers, workers, Node, Deno and React Native. Nothing
// here assumes a DOM.

/** The part of a WebSocket constructor that the client uses. */
export interface WebSocketConstructor {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  new (url: string, protocols?: string | string[], options?: any): any;
}

/** Defaults that an entry point may set before the first connection. */
export const env: { WebSocket?: WebSocketConstructor } = {};

/** The global scope, seen as a place where events such as "online" happen. */
export const scope = globalThis as typeof globalThis & {
  location?: Location;
  WebSocket?: WebSocketConstructor;
};

export type Timer = ReturnType<typeof setTimeout>;

/** A timer that does not keep a Node process alive if `unref` is set. */
export function later(fn: () => void, ms: number, unref?: boolean): Timer {
  const timer = setTimeout(fn, ms);
  if (unref) (timer as unknown as { unref(): void }).unref();
  return timer;
}

/** Runs fn soon, and apart from the caller: what it throws is nobody else's. */
export const soon = (fn: () => void): void => queueMicrotask(fn);

/** Listens to events of the page, where there is one; returns the way out. */
export function onPage(events: string[], listener: (event: Event) => void): () => void {
  const each = (verb: "addEventListener" | "removeEventListener") => {
    if (scope[verb]) for (const name of events) scope[verb](name, listener);
  };
  each("addEventListener");
  return () => each("removeEventListener");
}
