import { soon } from "../env";
import { decode, encode } from "./packet";
import { requestOf, type Transport, transportError, type TransportKind } from "./transport";

/** The WebSocket transport: one frame per packet, bytes as they are. */
export const websocket: TransportKind = {
  name: "websocket",

  _start(engine, host, opts) {
    let closed = false;
    let ws: InstanceType<NonNullable<typeof opts.WebSocket>>;

    const fail = async (event: unknown) => {
      if (closed) return;
      closed = true;
      if (!engine.id && engine._last) {
        // A browser tells no one why a WebSocket was refused, so ask over HTTP.
        try {
          const url = engine._url("polling", "http", opts);
          const request = opts.fetch || fetch;
          const response = await request(url, requestOf(opts));
          // 400 may only say that polling is off.
          if (response.status > 400) event = response.status;
          // That opened a session, which nobody wants.
          const { sid } = JSON.parse((await response.text()).slice(1));
          if (sid) await request(url + "&sid=" + sid, { ...requestOf(opts), method: "POST", body: "1" });
        } catch (_) {}
      }
      self._host._end(transportError("websocket error", event));
    };

    const self: Transport = {
      name: "websocket",
      writable: false,
      _host: host,

      _send(packets) {
        self.writable = false;
        for (const packet of packets) ws.send(encode(packet));
        // Writable again in the next microtask: what is emitted until then goes
        // out together.
        soon(() => {
          self.writable = true;
          self._host._drain();
        });
      },

      _close() {
        closed = true;
        if (ws) ws.close();
      },
    };

    try {
      // Browsers ignore the third argument; `ws` and React Native take headers
      // in it.
      ws = new (opts.WebSocket || WebSocket)(engine._url("websocket", "ws", opts), opts.protocols || [], {
        headers: opts.extraHeaders,
      });
      ws.binaryType = "arraybuffer";
      ws.onopen = () => {
        self.writable = true;
        self._host._open?.();
      };
      ws.onmessage = ({ data }: MessageEvent) => {
        const packet = typeof data == "string" ? decode(data) : { type: "message" as const, data };
        if (packet) self._host._packet(packet);
        else void fail(Error("parser error"));
      };
      ws.onerror = fail;
      ws.onclose = (context: CloseEvent) => {
        if (!closed) self._host._end({ description: "websocket connection closed", context });
        closed = true;
      };
    } catch (err) {
      soon(() => void fail(err));
    }
    return self;
  },
};
