import type { DefaultEventsMap, EventNames, EventParams, Listener } from "./types";
import { warn } from "./dev";

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
  /** The lists are replaced, never changed: an emission goes on with the one it began with. */
  private _listeners = new Map<string, Fn[]>();
  /** Hears of every event before the listeners do. @internal */
  declare _owner?: Fn;

  /** Calls the listener at each `event`. */
  on<E extends EventNames<Listen & Reserved>>(event: E, listener: Listener<Reserved & Listen, E>): this {
    this._listeners.set(event, [...this.listeners(event), listener]);
    if (__DEV__) {
      const all = this.listeners(event);
      const times = all.filter((fn) => fn == listener).length;
      if (times > 1) warn("twice", `the same listener is registered ${times} times for "${event}"`);
      else if (all.length == 11) warn("many", `more than ten listeners are registered for "${event}"`);
    }
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
    let found: unknown; // only the first is removed
    if (event == null) this._listeners.clear();
    else this._listeners.set(event, (this.listeners(event) as Fn[]).filter((fn) => listener && (found || !(found = fn == listener || fn._fn == listener))));
    return this;
  }

  /** Calls the listeners of `event`; what emit does unless it sends. @internal */
  _fire(event: string, ...args: unknown[]): this {
    this._owner?.(event, ...args);
    for (const fn of this.listeners(event as never) as Fn[]) fn.apply(this, args);
    return this;
  }

  /** Calls the listener at each `event`, before those there are. @internal */
  prepend(event: string, listener: unknown): this {
    this._listeners.set(event, [listener as Fn, ...this.listeners(event as never)]);
    return this;
  }

  /** The listeners of `event`. */
  listeners<E extends EventNames<Listen & Reserved>>(event: E): Listener<Reserved & Listen, E>[] {
    return (this._listeners.get(event) || []) as never;
  }

  /** Whether anyone listens to `event`. */
  hasListeners(event: EventNames<Listen & Reserved>): boolean {
    return !!this.listeners(event)[0];
  }
}

export interface Emitter<Listen extends object, Emit extends object, Reserved extends object> {
  /** Calls the listeners of `event` in the order in which they were added. */
  emit<E extends EventNames<Emit>>(event: E, ...args: EventParams<Emit, E>): this;
  // The other names under which the official client offers on and off.
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
proto.emit = proto._fire as never;
proto.addEventListener = proto.on;
proto.removeListener = proto.removeEventListener = proto.removeAllListeners = proto.off;
