import { env, later, type Timer } from "../env";
import type { Carrier, Host, TransportKind } from "./transport";
import { upgrade } from "./upgrade";

/** How long a transport may take to open when there is another to try. */
const patience = 5000;

/** The transport that worked last in this process; for rememberUpgrade. */
let lastGood = "";

/**
 * Opens transports one after the other until one works, and then goes on to a
 * better one if there is one.
 */
export function start(engine: Carrier, host: Host, kinds: TransportKind[]): void {
  const { rememberUpgrade, tryAllTransports, upgrade: mayUpgrade, autoUnref } = engine.opts;
  const [kind, next] = (rememberUpgrade && kinds.filter(({ name }) => name == lastGood && name != "polling")[0] && [env._kinds[lastGood]]) || kinds;
  if (!kind) return;
  const last = (engine._last = !next || !(tryAllTransports ?? kind.name != "polling"));
  let timer: Timer | undefined;
  const transport = (engine.transport = engine._create(kind, {
    ...host,
    _packet(packet) {
      clearTimeout(timer);
      transport._host = host;
      lastGood = kind.name;
      host._packet(packet);
      if (mayUpgrade != false && transport._pause && engine.readyState == "open") {
        upgrade(engine, host, kinds.filter(({ name }) => engine._upgrades.includes(name)), (name) => (lastGood = name));
      }
    },
    _end(details) {
      clearTimeout(timer);
      lastGood = "";
      if (last || engine.readyState != "opening") host._end(details);
      else start(engine, host, kinds.slice(1));
    },
  }));
  if (!last) {
    timer = later(() => {
      transport._close();
      transport._host._end(Error("timeout"));
    }, patience, autoUnref);
  }
}
