/* eslint-disable @typescript-eslint/no-explicit-any -- any events of the other direction */
// Hooks for React 18 and later. They may be mounted twice, as StrictMode does, and
// by any number of components: there is one connection for an address.
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import type { Options } from "./io";
import { type AnySocket, type ConnectionState, hold, share, stateOf, watchState } from "./share";
import type { Socket } from "./socket";
import type { DefaultEventsMap, EventNames, EventParams, Listener } from "./types";

export type { ConnectionState };

/**
 * The socket of an address. It connects when the first component is mounted that
 * asks for it, and disconnects when the last one is gone. The options are those of
 * the first.
 */
export function useSocket<Listen extends object = DefaultEventsMap, Emit extends object = Listen>(
  uri?: string,
  options?: Options,
): Socket<Listen, Emit> {
  const [, update] = useState(0);
  const shared = share(uri, options);
  useEffect(() => {
    // Another one may have taken its place between rendering and this.
    const now = share(uri, options);
    if (now != shared) update((n) => n + 1);
    return hold(now, uri);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- options are those of the first
  }, [uri, shared]);
  return shared.socket as never;
}

/** Calls the handler of the latest rendering at each such event. */
export function useEvent<Listen extends object, E extends EventNames<Listen>>(
  socket: Socket<Listen, any>,
  event: E,
  handler: Listener<Listen, E>,
): void {
  const latest = useRef(handler);
  useEffect(() => {
    latest.current = handler;
  });
  useEffect(() => {
    const listener = (...args: unknown[]) => (latest.current as (...args: unknown[]) => void)(...args);
    socket.on(event, listener as never);
    return () => {
      socket.off(event, listener as never);
    };
  }, [socket, event]);
}

/** A function that sends the event, the same one at each rendering. */
export function useEmit<Emit extends object, E extends EventNames<Emit>>(socket: Socket<any, Emit>, event: E): (...args: EventParams<Emit, E>) => void {
  return useCallback((...args: EventParams<Emit, E>) => void socket.emit(event, ...args), [socket, event]);
}

/** Whether the socket is connected, or trying to be. */
export function useConnectionState(socket: AnySocket): ConnectionState {
  return useSyncExternalStore(
    useCallback((changed) => watchState(socket, changed), [socket]),
    () => stateOf(socket),
    () => "disconnected",
  );
}
