import { sizeOf } from "../binary";
import { decodeBase64, encodeBase64 } from "./base64";
import { type Transport, transportError, type TransportKind } from "./transport";

/** The HTTP long-polling transport: one GET waits while POSTs bring packets. */
export const polling: TransportKind = {
  name: "polling",

  _start(engine, host, opts) {
    const aborter = new AbortController();
    let paused: (() => void) | undefined;
    let waiting = false; // there is a GET

    const end = (details: unknown) => {
      hangUp();
      self._host?._end(details);
    };
    const hangUp = () => aborter.abort();

    // Resolves with the body, or undefined: a failure ends the transport.
    const request = async (what: "poll" | "post", body?: string): Promise<string | undefined> => {
      let context;
      const timer = opts.requestTimeout && later(hangUp, opts.requestTimeout, engine);
      try {
        context = await (opts.fetch || fetch)(engine._url("polling", "http", opts), {
          method: body && "POST",
          body,
          // The last word of a page that is being left.
          keepalive: body == "1",
          credentials: opts.withCredentials ? "include" : undefined,
          headers: opts.extraHeaders,
          signal: aborter.signal,
        });
        if (context.status == 200) return await context.text();
      } catch (err) {
        context = err;
      } finally {
        clearTimeout(timer as Timer);
      }
      end(transportError(`xhr ${what} error`, (context as Response).status ?? 0, context));
    };

    const poll = async () => {
      waiting = true;
      const text = await request("poll");
      waiting = false;
      for (const part of text?.split("\x1e") || []) {
        if (!self._host) return;
        const packet = decodeBase64(part);
        if (packet && packet.type != "close") self._host._packet(packet);
        else end(packet ? { description: "transport closed by the server" } : transportError("parser error"));
      }
      next();
    };

    const next = () => {
      if (!self._host || waiting) return;
      if (!paused) void poll();
      else if (self.writable) paused();
    };

    const self: Transport = {
      name: "polling",
      writable: true,
      _host: host,

      async _send(packets) {
        const parts: string[] = [];
        let size = 0;
        self.writable = false;
        for (const packet of packets) {
          const part = await encodeBase64(packet);
          size += sizeOf(part) + 1;
          // The server takes only so much at once.
          if (parts[0] && size > engine._handshake.maxPayload!) break;
          parts.push(part);
        }
        if (self._host) await request("post", parts.join("\x1e"));
        if (self._host) {
          self.writable = true;
          self._host._drain(parts.length);
          next();
        }
      },

      _close() {
        if (engine.id && !aborter.signal.aborted) {
          // The server answers the GET that waits; then there is nothing left.
          void request("post", "1").then(hangUp);
          later(hangUp, 5000, engine);
        } else hangUp();
        self._host = undefined;
      },

      _pause(done) {
        paused = done;
        next();
      },
    };
    void poll();
    return self;
  },
};
