import type { RawData } from "./engine/packet";
import type { Carrier, Host, TransportKind } from "./engine/transport";
import type { Manager } from "./manager";
import type { Parser } from "./parser";
/** The global scope, where some things are only in some places. */
export declare const scope: typeof globalThis & {
    location?: Location;
    document?: Document;
};
/** What entry points set before the first connection. */
export declare const env: {
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
};
export type Timer = ReturnType<typeof setTimeout>;
/** A timer; in Node it does not keep the process alive if `autoUnref` is set. */
export declare function later(fn: () => void, ms: number, opts: {
    autoUnref?: boolean;
}): Timer;
/** Runs fn soon, and apart from the caller: what it throws is nobody else's. */
export declare const soon: (fn: () => void) => void;
