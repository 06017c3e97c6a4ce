import { kinds as available } from "../parts";
import type { Carrier, Host, Transport, TransportError, TransportKind } from "./transport";

/** What worked last in this process, other than polling; for rememberUpgrade. */
let good: TransportKind | undefined;

/**
 * Opens transports one after the other until one works, and then goes on to a
 * better one if there is one.
 *
 * A browser tells no one why a WebSocket was refused. Polling is told; so the last
 * try asks for the status, for an error that says nothing.
 */
export function start(engine: Carrier & Host, kinds: TransportKind[], refused?: TransportError): void {
  const { rememberUpgrade, tryAllTransports, upgrade: mayUpgrade } = engine.opts;
  const [kind, next] = rememberUpgrade && kinds.includes(good!) ? [good!] : kinds;
  const polls = kind.name == "polling";
  const more = next && (tryAllTransports ?? !polls);
  let timer: Timer | undefined;
  const transport = (engine.transport = engine._create(kind, {
    _packet(packet) {
      clearTimeout(timer);
      if (refused) {
        // That opened a session, which nobody wants; the engine closes it.
        engine.id = JSON.parse(packet.data as string).sid;
        return engine._end(refused);
      }
      transport._host = engine;
      if (!polls) good = kind;
      engine._packet(packet);
      if (polls && mayUpgrade != false && engine.readyState == "open") {
        for (const kind of kinds) if (engine._handshake.upgrades.includes(kind.name)) upgrade(engine, kind);
      }
    },
    _end(details) {
      clearTimeout(timer);
      transport._close();
      good = undefined;
      // 400 may only say that polling is off.
      if (refused && (details as TransportError).description as number > 400) refused.description = (details as TransportError).description;
      if (more) start(engine, kinds.slice(1));
      else if (polls) engine._end(refused || details);
      else start(engine, [available.polling], details as TransportError);
    },
  } as Host));
  if (more) {
    timer = later(() => transport._host?._end(Error("timeout")), 5000, engine);
  }
}

/**
 * Tries to move the engine from its transport to a better one, while messages
 * go on: a probe over the new transport, then silence on the old one, then the
 * upgrade packet. If anything fails, all stays as it is.
 */
function upgrade(engine: Carrier & Host, kind: TransportKind): void {
  const old = engine.transport;
  let next: Transport | undefined;
  let paused: unknown;
  let over: unknown;
  const fail = (cause?: unknown) => {
    if (over) return;
    over = 1;
    next?._close();
    if (paused) {
      engine.upgrading = false;
      old._pause!();
    }
    engine._fire("upgradeError", Object.assign(Error("probe error"), { transport: kind.name, cause }));
    engine._flush();
  };
  const probe = () => {
    if (over) return;
    next = engine._create(kind, {
      _open: () => next!._send([{ type: "ping", data: "probe" }]),
      _packet({ type, data }) {
        if (type + data! != "pongprobe" || engine.upgrading) return fail(type);
        engine.upgrading = true;
        paused = 1;
        engine._fire("upgrading", next);
        old._pause!(() => {
          over = 1;
          engine.writeBuffer.unshift({ type: "upgrade" });
          next!._host = engine;
          engine.transport = next!;
          engine.upgrading = false;
          good = kind;
          engine._fire("upgrade", next);
          engine._flush();
        });
      },
      _drain() {},
      _end: fail,
    });
  };
  engine.once("close", fail);
  engine.once("upgrade", fail);
  // WebTransport goes first.
  if (kind.name == "websocket" && engine._handshake.upgrades[1]) later(probe, 200, engine);
  else probe();
}
