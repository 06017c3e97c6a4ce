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
  /**
   * Without a prototype, because an event may be called `__proto__`. The lists
   * are replaced, never changed: an emission goes on with the one it began
   * with. @internal
   */
  _listeners: Record<string, Fn[] | undefined> = { __proto__: null } as never;

  /** Calls the listener at each `event`. */
  on<E extends EventNames<Listen & Reserved>>(event: E, listener: Listener<Reserved & Listen, E>): this {
    const all: Fn[] = this.listeners(event);
    this._listeners[event] = [...all, listener];
    if (__DEV__) {
      const times = all.filter((fn) => fn == listener).length + 1;
      if (times > 1) warn("twice", `the same listener is registered ${times} times for "${event}"`);
      else if (all.length == 10) warn("many", `more than ten listeners are registered for "${event}"`);
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
    if (event == null) this._listeners = { __proto__: null } as never;
    else {
      const all: Fn[] = this.listeners(event);
      const at = all.findIndex((fn) => fn == listener || fn._fn == listener);
      this._listeners[event] = all.filter((_, i) => listener && i != at);
    }
    return this;
  }

  /** Calls the listeners of `event` in the order in which they were added. */
  emit<E extends EventNames<Emit>>(event: E, ...args: EventParams<Emit, E>): this {
    this._fire(event, ...args);
    return this;
  }

  /** What emit does, for subclasses in which emit sends. @internal */
  _fire(event: string, ...args: unknown[]): void {
    for (const fn of this.listeners(event as never) as Fn[]) fn.apply(this, args);
  }

  /** The listeners of `event`. */
  listeners<E extends EventNames<Listen & Reserved>>(event: E): Listener<Reserved & Listen, E>[] {
    return (this._listeners[event] || []) as never;
  }

  /** Whether anyone listens to `event`. */
  hasListeners(event: EventNames<Listen & Reserved>): boolean {
    return !!this.listeners(event)[0];
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
