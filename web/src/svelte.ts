/* eslint-disable @typescript-eslint/no-explicit-any -- any events of the other direction */
// Stores for Svelte 3 and later. They listen as long as somebody is subscribed.
import { readable, type Readable } from "svelte/store";
import type { Options } from "./io";
import { type AnySocket, type ConnectionState, hold, share, stateOf, watchState } from "./share";
import type { Socket } from "./socket";
import type { DefaultEventsMap, EventNames, EventParams } from "./types";

export type { ConnectionState };

/**
 * The socket of an address, and what to call when it is not needed any more: one
 * connection for all who ask. The options are those of the first.
 *
 *     const [socket, release] = useSocket();
 *     onDestroy(release);
 */
export function useSocket<Listen extends object = DefaultEventsMap, Emit extends object = Listen>(
  uri?: string,
  options?: Options,
): [socket: Socket<Listen, Emit>, release: () => void] {
  const shared = share(uri, options);
  return [shared.socket as never, hold(shared, uri)];
}

/** The arguments of the last such event. */
export function eventStore<Listen extends object, E extends EventNames<Listen>>(
  socket: Socket<Listen, any>,
  event: E,
): Readable<EventParams<Listen, E> | undefined> {
  return readable<EventParams<Listen, E> | undefined>(undefined, (set) => {
    const listener = (...args: EventParams<Listen, E>) => set(args);
    socket.on(event, listener as never);
    return () => {
      socket.off(event, listener as never);
    };
  });
}

/** Whether the socket is connected, or trying to be. */
export function connectionState(socket: AnySocket): Readable<ConnectionState> {
  return readable(stateOf(socket), (set) => {
    const changed = () => set(stateOf(socket));
    changed();
    return watchState(socket, changed);
  });
}
