import { Manager, type ManagerOptions } from "./manager";
import { Socket, type SocketOptions } from "./socket";
/** The options of `io`. */
export interface Options extends ManagerOptions, SocketOptions {
    /** Does not share a connection with others. */
    forceNew?: boolean;
    /** False does the same as forceNew. */
    multiplex?: boolean;
    "force new connection"?: boolean;
}
/**
 * Returns the socket of the namespace that is the path of the address. Sockets
 * of one server share a connection.
 */
declare function lookup(uri?: string | Options, opts?: Options): Socket<any, any>;
/** The function `io`, with everything else on it for scripts without modules. */
declare const io: typeof lookup & {
    Manager: typeof Manager;
    Socket: typeof Socket;
    io: typeof lookup;
    connect: typeof lookup;
};
export { io };
