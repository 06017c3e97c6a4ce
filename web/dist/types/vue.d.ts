import { type Ref } from "vue";
import type { Options } from "./io";
import { type AnySocket, type ConnectionState } from "./share";
import type { Socket } from "./socket";
import type { DefaultEventsMap, EventNames, EventParams, Listener } from "./types";
export type { ConnectionState };
/**
 * The socket of an address, connected until the last component that asked for it is
 * gone. The options are those of the first.
 */
export declare function useSocket<Listen extends object = DefaultEventsMap, Emit extends object = Listen>(uri?: string, options?: Options): Socket<Listen, Emit>;
/** Calls the handler at each such event. */
export declare function useEvent<Listen extends object, E extends EventNames<Listen>>(socket: Socket<Listen, any>, event: E, handler: Listener<Listen, E>): void;
/** A function that sends the event. */
export declare function useEmit<Emit extends object, E extends EventNames<Emit>>(socket: Socket<any, Emit>, event: E): (...args: EventParams<Emit, E>) => void;
/** Whether the socket is connected, or trying to be. */
export declare function useConnectionState(socket: AnySocket): Readonly<Ref<ConnectionState>>;
