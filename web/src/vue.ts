/* eslint-disable @typescript-eslint/no-explicit-any -- any events of the other direction */
// Composables for Vue 3. There is one connection for an address, however many
// components use it.
import { getCurrentScope, onScopeDispose, type Ref, shallowRef } from "vue";
import type { Options } from "./io";
import { type AnySocket, type ConnectionState, hold, share, stateOf, watchState } from "./share";
import type { Socket } from "./socket";
import type { DefaultEventsMap, EventNames, EventParams, Listener } from "./types";

export type { ConnectionState };

const atTheEnd = (fn: () => void) => {
  if (getCurrentScope()) onScopeDispose(fn);
};

/**
 * The socket of an address, connected until the last component that asked for it is
 * gone. The options are those of the first.
 */
export function useSocket<Listen extends object = DefaultEventsMap, Emit extends object = Listen>(
  uri?: string,
  options?: Options,
): Socket<Listen, Emit> {
  const shared = share(uri, options);
  atTheEnd(hold(shared, uri));
  return shared.socket as never;
}

/** Calls the handler at each such event. */
export function useEvent<Listen extends object, E extends EventNames<Listen>>(
  socket: Socket<Listen, any>,
  event: E,
  handler: Listener<Listen, E>,
): void {
  socket.on(event, handler as never);
  atTheEnd(() => void socket.off(event, handler as never));
}

/** A function that sends the event. */
export function useEmit<Emit extends object, E extends EventNames<Emit>>(socket: Socket<any, Emit>, event: E): (...args: EventParams<Emit, E>) => void {
  return (...args) => void socket.emit(event, ...args);
}

/** Whether the socket is connected, or trying to be. */
export function useConnectionState(socket: AnySocket): Readonly<Ref<ConnectionState>> {
  const state = shallowRef(stateOf(socket));
  atTheEnd(watchState(socket, () => (state.value = stateOf(socket))));
  return state;
}
