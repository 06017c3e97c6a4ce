import type { Socket } from "./socket";
import type { EventNames, EventParams } from "./types";
/** The options of `events`. */
export interface EventsOptions {
    /** Ends the iteration. */
    signal?: AbortSignal;
    /** How many events wait to be looked at; beyond that the oldest are dropped. Default: no limit. */
    limit?: number;
}
/**
 * Iterates over an event: `for await (const [text] of events(socket, "said"))`.
 * It listens from the call on, and until the loop is left.
 */
export declare function events<Listen extends object, E extends EventNames<Listen>>(socket: Socket<Listen, any>, event: E, { signal, limit }?: EventsOptions): AsyncIterableIterator<EventParams<Listen, E>>;
