import { Manager, type ManagerOptions } from "./manager";
import { protocol } from "./parser";
import { Socket, type SocketOptions } from "./socket";
import { parse } from "./url";

export interface Options extends ManagerOptions, SocketOptions {
  /** Does not share a connection with others. */
  forceNew?: boolean;
  /** False does the same as forceNew. */
  multiplex?: boolean;
  "force new connection"?: boolean;
}

const cache = new Map<string, Manager>();

/**
 * Returns the socket of the namespace that is the path of the address. Sockets
 * of one server share a connection.
 */
// Any events, so that the result fits a variable that declares them.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
function lookup(uri?: string | Options, opts?: Options): Socket<any, any> {
  if (uri && typeof uri == "object") {
    opts = uri;
    uri = undefined;
  }
  const options: Options = { path: "/socket.io", ...opts };
  const { source, secure, host, port, path } = parse(uri as string | undefined);
  const id = (secure ? "https://" : "http://") + host + ":" + (port || (secure ? 443 : 80)) + options.path;
  const known = cache.get(id);
  let manager: Manager;
  if (options.forceNew || options["force new connection"] || options.multiplex === false || (known && known._has(path))) {
    manager = new Manager(source, options);
  } else {
    manager = known || new Manager(source, options);
    cache.set(id, manager);
  }
  return manager.socket(path, options);
}

/** The function `io`, with everything else on it for scripts without modules. */
const io = Object.assign(lookup, { Manager, Socket, protocol, io: lookup, connect: lookup });

export { io, io as connect, io as default, Manager, Socket, protocol };
export { TransportError } from "./engine/transport";
export type { ManagerOptions, SocketOptions };
export type { Auth } from "./socket";
export type { Parser, Packet } from "./parser";
