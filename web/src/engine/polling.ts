import { later, soon } from "../env";
import type { Engine } from "./engine";
import { decodeText, encodeBase64 } from "./packet";
import { type Host, type Transport, TransportError } from "./transport";
import { upgrade } from "./upgrade";

const separator = "\x1e";

/** The HTTP long-polling transport: one GET waits while POSTs bring packets. */
export function polling(engine: Engine, host: Host): Transport {
  const opts = engine._optionsOf("polling");
  const aborter = new AbortController();
  let open = false;
  let closed = false;
  let receiving = false;
  let sending = false;
  let paused: (() => void) | undefined;

  // Resolves with the body, or never: a failure ends the transport.
  const request = (what: "poll" | "post", body?: string): Promise<string> =>
    new Promise((resolve) => {
      const fail = (status: number, context?: unknown) => {
        clearTimeout(timer);
        if (closed) return;
        self._close(false);
        self._host._fail(new TransportError(`xhr ${what} error`, status, context));
      };
      const timer = opts.requestTimeout ? later(() => fail(0), opts.requestTimeout, opts.autoUnref) : undefined;
      fetch(engine._url("polling", "http"), {
        method: body === undefined ? "GET" : "POST",
        body,
        // The last word of a page that is being left.
        keepalive: body == "1",
        headers: opts.extraHeaders,
        credentials: opts.withCredentials ? "include" : "same-origin",
        signal: aborter.signal,
      })
        .then(async (response) => {
          if (response.status != 200) return fail(response.status, response);
          const text = await response.text();
          clearTimeout(timer);
          // Apart from the promise, whose catch is not for our callers' errors.
          soon(() => resolve(text));
        })
        .catch((err) => fail(0, err));
    });

  const poll = async () => {
    receiving = true;
    const text = await request("poll");
    receiving = false;
    for (const part of text.split(separator)) {
      if (closed) return;
      const packet = decodeText(part);
      if (!packet) {
        self._close(false);
        self._host._fail(new TransportError("parser error"));
      } else if (packet.type == "close") {
        self._close(false);
        self._host._closed({ description: "transport closed by the server" });
      } else {
        if (!open) {
          open = self.writable = true;
          self._host._open();
        }
        self._host._packet(packet);
      }
    }
    if (closed) return;
    if (paused) paused();
    else void poll();
  };

  const self: Transport = {
    name: "polling",
    writable: false,
    _host: host,

    _open: () => void poll(),

    async _send(packets) {
      self.writable = false;
      sending = true;
      const parts = await Promise.all(packets.map(encodeBase64));
      if (closed) return;
      await request("post", parts.join(separator));
      sending = false;
      self.writable = true;
      self._host._drain();
      if (paused) paused();
    },

    _close(polite) {
      if (closed) return;
      if (polite && open) {
        // The server answers the GET that waits; then there is nothing left.
        const end = () => aborter.abort();
        void request("post", "1").then(end);
        closed = true;
        later(end, 5000, true);
        return;
      }
      closed = true;
      aborter.abort();
    },

    _pause(done) {
      paused = () => {
        if (!receiving && !sending) done();
      };
      paused();
    },

    _resume() {
      paused = undefined;
      if (open && !closed && !receiving) void poll();
    },

    _upgrade: upgrade,
  };
  return self;
}
