import { env, later, type Timer } from "../env";
import type { Carrier, Host, TransportError, TransportKind } from "./transport";
import { upgrade } from "./upgrade";

/** How long a transport may take to open when there is another to try. */
const patience = 5000;

/** What worked last in this process, other than polling; for rememberUpgrade. */
let good: TransportKind | undefined;

/**
 * Opens transports one after the other until one works, and then goes on to a
 * better one if there is one.
 */
export function start(engine: Carrier, host: Host, kinds: TransportKind[]): void {
  const { rememberUpgrade, tryAllTransports, upgrade: mayUpgrade } = engine.opts;
  const [kind, next] = rememberUpgrade && kinds.includes(good!) ? [good!] : kinds;
  if (!kind) return;
  const polls = kind.name == "polling";
  const last = !next || !(tryAllTransports ?? !polls);
  let timer: Timer | undefined;
  const transport = (engine.transport = engine._create(kind, {
    _packet(packet) {
      clearTimeout(timer);
      transport._host = host;
      if (!polls) good = kind;
      host._packet(packet);
      if (polls && mayUpgrade != false && engine.readyState == "open") {
        upgrade(engine, host, kinds.filter(({ name }) => engine._upgrades.includes(name)), (kind) => (good = kind));
      }
    },
    _end(details) {
      clearTimeout(timer);
      good = undefined;
      if (engine.readyState != "opening" || (last && polls)) host._end(details);
      else if (last) start(engine, asking(engine, host, details as TransportError), [env._kinds.polling]);
      else start(engine, host, kinds.slice(1));
    },
  } as Host));
  if (!last) {
    timer = later(() => {
      transport._close();
      transport._host._end(Error("timeout"));
    }, patience, engine.opts);
  }
}

/**
 * A browser tells no one why a WebSocket was refused. Polling is told; so this
 * takes the status from its error, in the place of an event that says nothing.
 */
const asking = (engine: Carrier, host: Host, error: TransportError) =>
  ({
    _packet({ data }) {
      // That opened a session, which nobody wants.
      engine.id = (/"sid":"(.+?)"/.exec(data as string) || [])[1];
      engine.transport._close(true);
      host._end(error);
    },
    _end({ description }: TransportError) {
      // 400 may only say that polling is off.
      if ((description as number) > 400) error.description = description;
      host._end(error);
    },
  }) as Host;
