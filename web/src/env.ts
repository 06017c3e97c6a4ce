// What differs between browsers, workers, Node, Deno and React Native. Nothing
// here assumes a DOM.
import type { RawData } from "./engine/packet";
import type { Carrier, Host, TransportKind } from "./engine/transport";
import type { Manager } from "./manager";
import type { Parser } from "./parser";

/** The global scope, where some things are only in some places. */
export const scope = globalThis as typeof globalThis & {
  location?: Location;
  document?: Document;
};

/** What entry points set before the first connection. */
export const env: {
  /** The transports there are, by name. */
  _kinds: Record<string, TransportKind>;
  /** The codec unless an option names another. */
  _parser?: Parser;
  /** Opens the first transport of an engine. */
  _start: (engine: Carrier, host: Host, kinds: TransportKind[]) => void;
  /** Begins to look at the page for a manager; returns what turns that on and off. */
  _watch?: (manager: Manager) => (on?: boolean) => void;
  /** Throws if the server would take a message for too large. */
  _check?: (message: RawData, max: number) => void;
} = {
  _kinds: {},
  _start: (engine, host, [kind]) => {
    if (kind) engine.transport = engine._create(kind, host);
  },
};

export type Timer = ReturnType<typeof setTimeout>;

/** A timer; in Node it does not keep the process alive if `autoUnref` is set. */
export function later(fn: () => void, ms: number, opts: { autoUnref?: boolean }): Timer {
  const timer = setTimeout(fn, ms);
  if (__NODE__ && opts.autoUnref) (timer as unknown as { unref(): void }).unref();
  return timer;
}

/** Runs fn soon, and apart from the caller: what it throws is nobody else's. */
export const soon: (fn: () => void) => void = (fn) => queueMicrotask(fn);
