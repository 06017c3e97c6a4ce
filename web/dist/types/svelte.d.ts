import { type Readable } from "svelte/store";
import type { Options } from "./io";
import { type AnySocket, type ConnectionState } from "./share";
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
export declare function useSocket<Listen extends object = DefaultEventsMap, Emit extends object = Listen>(uri?: string, options?: Options): [socket: Socket<Listen, Emit>, release: () => void];
/** The arguments of the last such event. */
export declare function eventStore<Listen extends object, E extends EventNames<Listen>>(socket: Socket<Listen, any>, event: E): Readable<EventParams<Listen, E> | undefined>;
/** Whether the socket is connected, or trying to be. */
export declare function connectionState(socket: AnySocket): Readable<ConnectionState>;
