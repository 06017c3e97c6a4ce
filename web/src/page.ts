// Looks at the page a connection belongs to: it is left, comes back, thaws, or the
// network does. Timers stand still while a page is hidden, so nobody else would
// know in good time.
import type { Manager } from "./manager";
import { parse } from "./url";

export const watch = (manager: Manager): ((on?: boolean) => void) => {
  let woke = 0;

  const onPage = ({ type, persisted }: Event & { persisted?: boolean }) => {
    const { engine, opts, uri, _retry } = manager;
    if (type == "beforeunload") {
      if (opts.closeOnBeforeunload) engine.transport._close();
    } else if (type == "offline") {
      if (!/^(localhost|127|\[::1)/.test(parse(uri)[1])) engine._close("transport close", { description: "network connection lost" });
    } else if (persisted != false && !(type == "visibilitychange" && document.hidden)) {
      woke = Date.now();
      if (_retry) _retry();
      else if (engine.id) {
        // A dead connection is told so by the kernel if something is sent.
        engine._write("noop");
        const left = engine._deadline - Date.now();
        if (left < engine._handshake.pingTimeout) engine._awaitPing(Math.min(left, 3000));
      }
    }
  };

  return (on) => {
    // Some happen to the document and do not bubble.
    for (const event of ["online", "offline", "visibilitychange", "pageshow", "resume", "beforeunload"]) globalThis[on ? "addEventListener" : "removeEventListener"]?.(event, onPage, true);
    // No waiting if the page has only now found out that the connection is dead.
    if (on && manager._retry && Date.now() - woke < 5000) {
      woke = 0;
      soon(manager._retry);
    }
  };
};
