import { Manager, type ManagerOptions } from "./manager";
import { Socket, type SocketOptions } from "./socket";
import { parse } from "./url";

/** The options of `io`. */
export interface Options extends ManagerOptions, SocketOptions {
  /** Does not share a connection with others. */
  forceNew?: boolean;
  /** False does the same as forceNew. */
  multiplex?: boolean;
  "force new connection"?: boolean;
}

const cache: Record<string, Manager> = {};

/**
 * Returns the socket of the namespace that is the path of the address. Sockets
 * of one server share a connection.
 */
// Any events, so that the result fits a variable that declares them.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
function lookup(uri?: string | Options, opts?: Options): Socket<any, any> {
  if (typeof uri == "object") {
    opts = uri;
    uri = undefined;
  }
  const options: Options = { path: "/socket.io", ...opts };
  const [secure, host, path] = parse(uri);
  const id = [secure, host, options.path] + "";
  return (
    options.forceNew || options["force new connection"] || options.multiplex === false || cache[id]?.nsps[path]
      ? new Manager(uri, options)
      : (cache[id] ||= new Manager(uri, options))
  ).socket(path, options);
}

/** The function `io`, with everything else on it for scripts without modules. */
const io = Object.assign(lookup, { Manager, Socket, io: lookup, connect: lookup });

export { io };
