import type { Socket } from "./socket";
/**
 * Takes apart what the Go package batch has put together: the events in a "batch" go to
 * their own listeners, and to those of all events. Returns the socket, so that it may be
 * called where that is made: `const socket = batches(io())`.
 *
 * What is no batch is left alone. `socket.off("batch")` ends it.
 *
 * @param name is that of the batches, if the server has given them another.
 */
export declare function batches<Of extends Socket<any, any>>(socket: Of, name?: string): Of;
