import { sizeOf } from "../binary";
import { decodeBase64, encodeBase64 } from "./base64";
import { type Transport, transportError, type TransportKind } from "./transport";

const separator = "\x1e";

/** The HTTP long-polling transport: one GET waits while POSTs bring packets. */
export const polling: TransportKind = {
  name: "polling",

  _start(engine, host, opts) {
    const aborter = new AbortController();
    let closed = false;
    let sending = false;
    let paused: (() => void) | undefined;
    let waiting = false; // there is a GET

    const end = (details: unknown) => {
      if (!closed) {
        hangUp();
        self._host._end(details);
      }
    };
    const hangUp = () => {
      closed = true;
      aborter.abort();
    };

    // Resolves with the body, or undefined: a failure ends the transport.
    const request = async (what: "poll" | "post", body?: string): Promise<string | undefined> => {
      let status = 0;
      let context: unknown;
      const timer = opts.requestTimeout && later(() => aborter.abort(), opts.requestTimeout, engine);
      try {
        const response = await (opts.fetch || fetch)(engine._url("polling", "http", opts), {
          method: body && "POST",
          body,
          // The last word of a page that is being left.
          keepalive: body == "1",
          credentials: opts.withCredentials ? "include" : undefined,
          headers: opts.extraHeaders,
          signal: aborter.signal,
        });
        if (response.status == 200) return await response.text();
        ({ status } = context = response);
      } catch (err) {
        context = err;
      } finally {
        clearTimeout(timer as Timer);
      }
      end(transportError(`xhr ${what} error`, status, context));
    };

    const poll = async () => {
      waiting = true;
      const text = await request("poll");
      waiting = false;
      for (const part of (text || "").split(separator)) {
        if (closed) return;
        const packet = decodeBase64(part);
        if (packet && packet.type != "close") self._host._packet(packet);
        else end(packet ? { description: "transport closed by the server" } : transportError("parser error"));
      }
      next();
    };

    const next = () => {
      if (closed) return;
      if (!paused) {
        if (!waiting) void poll();
      } else if (!waiting && !sending) paused();
    };

    const self: Transport = {
      name: "polling",
      get writable() {
        return !sending && !paused;
      },
      _host: host,

      async _send(packets) {
        const parts: string[] = [];
        let size = 0;
        sending = true;
        for (const packet of packets) {
          const part = await encodeBase64(packet);
          size += sizeOf(part) + 1;
          // The server takes only so much at once.
          if (parts[0] && size > engine._handshake.maxPayload!) break;
          parts.push(part);
        }
        if (!closed) await request("post", parts.join(separator));
        if (!closed) {
          sending = false;
          self._host._drain(parts.length);
          next();
        }
      },

      _close() {
        // With a session that does not go on elsewhere.
        if (!closed && engine.transport == self && engine.id) {
          closed = true;
          // The server answers the GET that waits; then there is nothing left.
          void request("post", "1").then(hangUp);
          later(hangUp, 5000, engine);
        } else hangUp();
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
