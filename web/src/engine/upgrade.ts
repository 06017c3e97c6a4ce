import type { Engine } from "./engine";
import { type Transport, TransportError } from "./transport";

/**
 * Tries to move the engine from its transport to a better one, while messages
 * go on: a probe over the new transport, then silence on the old one, then the
 * upgrade packet. If anything fails, all stays as it is.
 */
export function upgrade(engine: Engine, names: string[]): void {
  for (const name of names) {
    let over = false;
    let paused = false;
    const fail = (cause: unknown) => {
      if (over) return;
      over = true;
      next._close(false);
      if (paused) engine.transport._resume!();
      engine.upgrading = false;
      engine._fire("upgradeError", Object.assign(new Error("probe error"), { transport: name, cause }));
      engine._flush();
    };
    const next: Transport = engine._create(name, {
      _open: () => next._send([{ type: "ping", data: "probe" }]),
      _packet({ type, data }) {
        if (over) return;
        if (type != "pong" || data != "probe" || engine.upgrading || engine.transport.name == name) {
          return fail(new Error("unexpected packet"));
        }
        engine.upgrading = true;
        engine._fire("upgrading", next);
        paused = true;
        engine.transport._pause!(() => {
          if (over || engine.readyState == "closed") return;
          over = true;
          next._send([{ type: "upgrade" }]);
          engine._adopt(next);
          engine.upgrading = false;
          engine._fire("upgrade", next);
          engine._flush();
        });
      },
      _drain() {},
      _fail: fail,
      _closed: (details) => fail(new TransportError("transport closed", details)),
    });
    engine.once("close", () => fail(new Error("socket closed")));
    next._open();
  }
}
