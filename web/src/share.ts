// One socket for all components that want one of an address, as long as there are
// any: what the entries for frameworks have in common.
import { io } from "sockeye-client";
import type { Options } from "./io";
import type { Socket } from "./socket";

export type ConnectionState = "connected" | "connecting" | "disconnected";

// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type AnySocket = Socket<any, any>;

interface Shared {
  socket: AnySocket;
  users: number;
}

const all = new Map<string, Shared>();

/** The socket of an address; the options are those of the first who asks. It does not connect. */
export function share(uri = "", options?: Options): Shared {
  let shared = all.get(uri);
  if (!shared) {
    shared = { socket: io(uri || undefined, { ...options, autoConnect: false }), users: 0 };
    all.set(uri, shared);
  }
  return shared;
}

/** Connects, until what is returned has been called by the last user. */
export function hold(shared: Shared, uri = ""): () => void {
  shared.users++;
  shared.socket.connect();
  let held = true;
  return () => {
    if (!held) return;
    held = false;
    shared.users--;
    // Not at once: a component that is replaced, or mounted twice to test it,
    // comes back in the same turn and keeps the connection.
    setTimeout(() => {
      if (!shared.users) {
        shared.socket.disconnect();
        if (all.get(uri) == shared) all.delete(uri);
      }
    });
  };
}

export const stateOf = ({ connected, active }: AnySocket): ConnectionState =>
  connected ? "connected" : active ? "connecting" : "disconnected";

/** Calls back whenever the state may have changed; returns the way out. */
export function watchState(socket: AnySocket, changed: () => void): () => void {
  const events = ["connect", "disconnect", "connect_error"];
  for (const event of events) socket.on(event, changed);
  return () => {
    for (const event of events) socket.off(event, changed);
  };
}
