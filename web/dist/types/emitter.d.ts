import type { DefaultEventsMap, EventNames, EventParams, Listener } from "./types";
/**
 * A typed event emitter. `Listen` are the events that listeners may name,
 * `Emit` those that `emit` may, and `Reserved` those that the object itself
 * emits.
 */
export declare class Emitter<Listen extends object = DefaultEventsMap, Emit extends object = Listen, Reserved extends object = object> {
    /** The lists are replaced, never changed: an emission goes on with the one it began with. */
    private _listeners;
    /** Calls the listener at each `event`. */
    on<E extends EventNames<Listen & Reserved>>(event: E, listener: Listener<Reserved & Listen, E>): this;
    /** Calls the listener at the next `event` only. */
    once<E extends EventNames<Listen & Reserved>>(event: E, listener: Listener<Reserved & Listen, E>): this;
    /** Removes one listener, all listeners of an event, or all listeners. */
    off<E extends EventNames<Listen & Reserved>>(event?: E, listener?: Listener<Reserved & Listen, E>): this;
    /** The listeners of `event`. */
    listeners<E extends EventNames<Listen & Reserved>>(event: E): Listener<Reserved & Listen, E>[];
    /** Whether anyone listens to `event`. */
    hasListeners(event: EventNames<Listen & Reserved>): boolean;
}
export interface Emitter<Listen extends object, Emit extends object, Reserved extends object> {
    /** Calls the listeners of `event` in the order in which they were added. */
    emit<E extends EventNames<Emit>>(event: E, ...args: EventParams<Emit, E>): this;
    /** The same as `on`. */
    addEventListener: Emitter<Listen, Emit, Reserved>["on"];
    /** The same as `off`. */
    removeListener: Emitter<Listen, Emit, Reserved>["off"];
    /** The same as `off`. */
    removeEventListener: Emitter<Listen, Emit, Reserved>["off"];
    /** The same as `off`. */
    removeAllListeners: Emitter<Listen, Emit, Reserved>["off"];
}
