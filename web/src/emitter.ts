import type { DefaultEventsMap, EventNames, EventParams, Listener } from "./types";

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Fn = ((...args: any[]) => unknown) & { _fn?: Fn };

/**
 * A typed event emitter. `Listen` are the events that listeners may name,
 * `Emit` those that `emit` may, and `Reserved` those that the object itself
 * emits.
 */
export class Emitter<
  Listen extends object = DefaultEventsMap,
  Emit extends object = Listen,
  Reserved extends object = object,
> {
  /** A Map, because an event may be called `__proto__`. @internal */
  _listeners = new Map<string, Fn[]>();

  /** Calls the listener at each `event`. */
  on<E extends EventNames<Listen & Reserved>>(event: E, listener: Listener<Reserved & Listen, E>): this {
    const all = this._listeners.get(event);
    if (all) all.push(listener);
    else this._listeners.set(event, [listener]);
    return this;
  }

  /** Calls the listener at the next `event` only. */
  once<E extends EventNames<Listen & Reserved>>(event: E, listener: Listener<Reserved & Listen, E>): this {
    const wrapper: Fn = (...args) => {
      this.off(event, wrapper as never);
      (listener as Fn).apply(this, args);
    };
    wrapper._fn = listener;
    return this.on(event, wrapper as never);
  }

  /** Removes one listener, all listeners of an event, or all listeners. */
  off<E extends EventNames<Listen & Reserved>>(event?: E, listener?: Listener<Reserved & Listen, E>): this {
    if (event === undefined) {
      this._listeners.clear();
    } else if (!listener) {
      this._listeners.delete(event);
    } else {
      // A copy without the first match, so that a removal during an emission
      // does not skip anyone.
      const all = this._listeners.get(event) || [];
      const at = all.findIndex((fn) => fn === listener || fn._fn === listener);
      const rest = all.filter((_, i) => i !== at);
      if (rest.length) this._listeners.set(event, rest);
      else this._listeners.delete(event);
    }
    return this;
  }

  /** Calls the listeners of `event` in the order in which they were added. */
  emit<E extends EventNames<Emit>>(event: E, ...args: EventParams<Emit, E>): this {
    return this._fire(event, ...args);
  }

  /** What emit does, for subclasses in which emit sends. @internal */
  _fire(event: string, ...args: unknown[]): this {
    for (const fn of (this._listeners.get(event) || []).slice()) fn.apply(this, args);
    return this;
  }

  /** The listeners of `event`. */
  listeners<E extends EventNames<Listen & Reserved>>(event: E): Listener<Reserved & Listen, E>[] {
    return (this._listeners.get(event) || []).map((fn) => fn._fn || fn) as never;
  }

  /** Whether anyone listens to `event`. */
  hasListeners(event: EventNames<Listen & Reserved>): boolean {
    return this._listeners.has(event);
  }
}

// The other names under which the official client offers on and off.
export interface Emitter<Listen extends object, Emit extends object, Reserved extends object> {
  /** The same as `on`. */
  addEventListener: Emitter<Listen, Emit, Reserved>["on"];
  /** The same as `off`. */
  removeListener: Emitter<Listen, Emit, Reserved>["off"];
  /** The same as `off`. */
  removeEventListener: Emitter<Listen, Emit, Reserved>["off"];
  /** The same as `off`. */
  removeAllListeners: Emitter<Listen, Emit, Reserved>["off"];
}

const proto = Emitter.prototype;
proto.addEventListener = proto.on;
proto.removeListener = proto.removeEventListener = proto.removeAllListeners = proto.off;

/** Adds a listener and returns what removes it. */
export function on(target: Emitter<never, never, never> | object, event: string, listener: unknown): () => void {
  const emitter = target as Emitter;
  emitter.on(event, listener as Fn);
  return () => {
    emitter.off(event, listener as Fn);
  };
}
