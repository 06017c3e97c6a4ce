import { decode, encode } from "./packet";
import { type Transport, transportError, type TransportKind } from "./transport";

/** The WebSocket transport: one frame per packet, bytes as they are. */
export const websocket: TransportKind = {
  name: "websocket",

  _start(engine, host, opts) {
    let ws: InstanceType<NonNullable<typeof opts.WebSocket>>;

    const fail = (event: unknown) => self._host?._end(transportError("websocket error", event));

    const self: Transport = {
      name: "websocket",
      writable: true,
      _host: host,

      _send(packets) {
        self.writable = false;
        for (const packet of packets) ws.send(encode(packet));
        // Writable again in the next microtask: what is emitted until then goes
        // out together.
        soon(() => {
          self.writable = true;
          self._host?._drain(packets.length);
        });
      },

      _close() {
        self._host = undefined;
        ws?.close();
      },
    };

    try {
      // Browsers ignore the third argument; `ws` and React Native take headers
      // in it.
      ws = new (opts.WebSocket || WebSocket)(engine._url("websocket", "ws", opts), opts.protocols || [], {
        headers: opts.extraHeaders,
      });
      ws.binaryType = "arraybuffer";
      if (!__CORE__) ws.onopen = () => self._host?._open?.();
      ws.onmessage = ({ data }: MessageEvent) => {
        const packet = decode(data);
        if (packet) self._host?._packet(packet);
        else self._host?._end(transportError("parser error"));
      };
      ws.onerror = fail;
      ws.onclose = (context: CloseEvent) => self._host?._end({ description: "websocket connection closed", context });
    } catch (err) {
      soon(() => fail(err));
    }
    return self;
  },
};
