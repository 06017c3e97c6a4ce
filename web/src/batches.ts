import { reserved } from "./parser";
import type { Socket } from "./socket";

/** One event of a batch. */
interface Item {
  event: string;
  data?: unknown;
  args?: unknown[];
}

/**
 * Takes apart what the Go package batch has put together: the events in a "batch" go to
 * their own listeners, and to those of all events. Returns the socket, so that it may be
 * called where that is made: `const socket = batches(io())`.
 *
 * What is no batch is left alone. `socket.off("batch")` ends it.
 *
 * @param name is that of the batches, if the server has given them another.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export function batches<Of extends Socket<any, any>>(socket: Of, name = "batch"): Of {
  return socket.on(name, (items: unknown) => {
    if (!Array.isArray(items)) return;
    for (const item of items as (Item | null)[]) {
      const { event, data, args = [data] } = item || ({} as Item);
      if (typeof event != "string" || reserved.test(event)) continue;
      const all = [event].concat(args as string[]) as [string, ...unknown[]];
      for (const listener of socket.listenersAny()) listener(...all);
      socket._fire(...all);
    }
  });
}
