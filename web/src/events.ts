import type { Socket } from "./socket";
import type { EventNames, EventParams } from "./types";

/** The options of `events`. */
export interface EventsOptions {
  /** Ends the iteration. */
  signal?: AbortSignal;
  /** How many events wait to be looked at; beyond that the oldest are dropped. Default: no limit. */
  limit?: number;
}

/**
 * Iterates over an event: `for await (const [text] of events(socket, "said"))`.
 * It listens from the call on, and until the loop is left.
 */
export function events<Listen extends object, E extends EventNames<Listen>>(
  socket: Socket<Listen, any>,
  event: E,
  { signal, limit = Infinity }: EventsOptions = {},
): AsyncIterableIterator<EventParams<Listen, E>> {
  type Args = EventParams<Listen, E>;
  const waiting: Args[] = [];
  const readers: ((result: IteratorResult<Args>) => void)[] = [];
  const over = { value: undefined, done: true } as const;
  let ended = false;
  const listener = (...value: Args) => {
    const reader = readers.shift();
    if (reader) reader({ value, done: false });
    else if (waiting.push(value) > limit) waiting.shift();
  };
  const end = () => {
    ended = true;
    socket.off(event, listener as never);
    if (signal) signal.removeEventListener("abort", end);
    for (const reader of readers.splice(0)) reader(over);
  };
  socket.on(event, listener as never);
  if (signal) {
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  }
  return {
    next: () =>
      new Promise((resolve) => {
        const value = waiting.shift();
        if (value) resolve({ value, done: false });
        else if (ended) resolve(over);
        else readers.push(resolve);
      }),
    return: async () => {
      waiting.length = 0;
      end();
      return over;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
