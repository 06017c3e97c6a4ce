import { sizeOf } from "../binary";
import { later, type Timer } from "../env";
import { decodeBase64, encodeBase64 } from "./base64";
import { requestOf, type Transport, transportError, type TransportKind } from "./transport";

const separator = "\x1e";

/** The HTTP long-polling transport: one GET waits while POSTs bring packets. */
export const polling: TransportKind = {
  name: "polling",

  _start(engine, host, opts) {
    const aborter = new AbortController();
    let open = false;
    let closed = false;
    let sending = false;
    let paused: (() => void) | undefined;
    let waiting = false; // there is a GET

    const end = (details: unknown) => {
      if (!closed) {
        self._close();
        self._host._end(details);
      }
    };

    // Resolves with the body, or undefined: a failure ends the transport.
    const request = async (what: "poll" | "post", body?: string): Promise<string | undefined> => {
      let status = 0;
      let context: unknown;
      let timer: Timer | undefined;
      if (opts.requestTimeout) timer = later(() => aborter.abort(), opts.requestTimeout, opts.autoUnref);
      try {
        const response = await (opts.fetch || fetch)(engine._url("polling", "http", opts), {
          method: body ? "POST" : "GET",
          body,
          // The last word of a page that is being left.
          keepalive: body == "1",
          ...requestOf(opts),
          signal: aborter.signal,
        });
        context = response;
        if (response.status == 200) return await response.text();
        status = response.status;
      } catch (err) {
        context = err;
      } finally {
        clearTimeout(timer);
      }
      end(transportError(`xhr ${what} error`, status, context));
    };

    const poll = async () => {
      waiting = true;
      const text = await request("poll");
      waiting = false;
      if (text === undefined) return;
      for (const part of text.split(separator)) {
        if (closed) return;
        const packet = decodeBase64(part);
        if (!packet) end(transportError("parser error"));
        else if (packet.type == "close") end({ description: "transport closed by the server" });
        else {
          if (packet.type == "open") open = self.writable = true;
          self._host._packet(packet);
        }
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
      writable: false,
      _host: host,

      _send(packets) {
        let size = 0;
        // The server takes only so much at once.
        let fitting = packets.findIndex(({ data = "" }, i) => {
          size += 2 + (typeof data == "string" ? sizeOf(data) : Math.ceil(sizeOf(data) / 3) * 4);
          return i && size > engine._maxPayload;
        });
        if (fitting < 0) fitting = packets.length;
        self.writable = false;
        sending = true;
        void (async () => {
          const parts = await Promise.all(packets.slice(0, fitting).map(encodeBase64));
          if (!closed && (await request("post", parts.join(separator))) !== undefined && !closed) {
            sending = false;
            self.writable = !paused;
            self._host._drain();
            if (paused) next();
          }
        })();
        return fitting;
      },

      _close(polite) {
        if (!closed) {
          closed = true;
          const abort = () => aborter.abort();
          if (polite && open) {
            // The server answers the GET that waits; then there is nothing left.
            void request("post", "1").then(abort);
            later(abort, 5000, opts.autoUnref);
          } else abort();
        }
      },

      _pause(done) {
        paused = done;
        self.writable = !done && !sending;
        next();
      },
    };
    void poll();
    return self;
  },
};
