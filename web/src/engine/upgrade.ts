import { later } from "../env";
import type { Carrier, Host, Transport, TransportKind } from "./transport";

/**
 * Tries to move the engine from its transport to a better one, while messages
 * go on: a probe over the new transport, then silence on the old one, then the
 * upgrade packet. If anything fails, all stays as it is.
 */
export function upgrade(engine: Carrier, host: Host, kinds: TransportKind[], done: (kind: TransportKind) => void): void {
  const old = engine.transport;
  for (const kind of kinds) {
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
      const self: Transport = (next = engine._create(kind, {
        _open: () => self._send([{ type: "ping", data: "probe" }]),
        _packet({ type, data }) {
          if (over) return;
          if (type != "pong" || data != "probe" || engine.upgrading) return fail(type);
          engine.upgrading = true;
          paused = 1;
          engine._fire("upgrading", self);
          old._pause!(() => {
            if (over) return;
            over = 1;
            engine.writeBuffer.unshift({ type: "upgrade" });
            old._close();
            self._host = host;
            engine.transport = self;
            engine.upgrading = false;
            done(kind);
            engine._fire("upgrade", self);
            engine._flush();
          });
        },
        _drain() {},
        _end: fail,
      }));
    };
    engine.once("close", fail);
    engine.once("upgrade", fail);
    // WebTransport goes first.
    if (kind.name == "websocket" && kinds[1]) later(probe, 200, engine.opts);
    else probe();
  }
}
