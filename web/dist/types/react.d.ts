import type { Options } from "./io";
import { type AnySocket, type ConnectionState } from "./share";
import type { Socket } from "./socket";
import type { DefaultEventsMap, EventNames, EventParams, Listener } from "./types";
export type { ConnectionState };
/**
 * The socket of an address. It connects when the first component is mounted that
 * asks for it, and disconnects when the last one is gone. The options are those of
 * the first.
 */
export declare function useSocket<Listen extends object = DefaultEventsMap, Emit extends object = Listen>(uri?: string, options?: Options): Socket<Listen, Emit>;
/** Calls the handler of the latest rendering at each such event. */
export declare function useEvent<Listen extends object, E extends EventNames<Listen>>(socket: Socket<Listen, any>, event: E, handler: Listener<Listen, E>): void;
/** A function that sends the event, the same one at each rendering. */
export declare function useEmit<Emit extends object, E extends EventNames<Emit>>(socket: Socket<any, Emit>, event: E): (...args: EventParams<Emit, E>) => void;
/** Whether the socket is connected, or trying to be. */
export declare function useConnectionState(socket: AnySocket): ConnectionState;
