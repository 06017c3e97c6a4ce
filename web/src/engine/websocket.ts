import { env, scope, soon } from "../env";
import type { Engine } from "./engine";
import { decodeText, encodeBase64, encodeText } from "./packet";
import { type Host, type Transport, TransportError } from "./transport";

/** The WebSocket transport: one frame per packet, bytes as they are. */
export function websocket(engine: Engine, host: Host): Transport {
  const opts = engine._optionsOf("websocket");
  let ws: InstanceType<NonNullable<typeof env.WebSocket>>;
  let closed = false;

  const fail = async (event: unknown) => {
    if (closed) return;
    closed = true;
    const status = !engine.id && engine._isLast() && (await findStatus(engine, opts.withCredentials));
    self._host._fail(new TransportError("websocket error", status || event));
  };

  const self: Transport = {
    name: "websocket",
    writable: false,
    _host: host,

    _open() {
      const WebSocket = opts.WebSocket || env.WebSocket || scope.WebSocket;
      try {
        // Browsers ignore the third argument; `ws` and React Native take
        // headers in it.
        ws = new WebSocket(engine._url("websocket", "ws"), opts.protocols || [], { headers: opts.extraHeaders });
      } catch (err) {
        soon(() => void fail(err));
        return;
      }
      ws.binaryType = "arraybuffer";
      ws.onopen = () => {
        self.writable = true;
        self._host._open();
      };
      ws.onmessage = ({ data }: MessageEvent) => {
        const packet = typeof data == "string" ? decodeText(data) : { type: "message" as const, data };
        if (packet) self._host._packet(packet);
        else void fail(new Error("parser error"));
      };
      ws.onerror = fail;
      ws.onclose = (event: CloseEvent) => {
        if (closed) return;
        closed = true;
        self._host._closed({ description: "websocket connection closed", context: event });
      };
    },

    async _send(packets) {
      self.writable = false;
      if (opts.forceBase64) {
        const texts = await Promise.all(packets.map(encodeBase64));
        if (closed) return;
        for (const text of texts) ws.send(text);
      } else for (const packet of packets) {
        const { type, data } = packet;
        ws.send(type == "message" && data != null && typeof data != "string" ? data : encodeText(packet));
      }
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
  return self;
}

/**
 * Asks over HTTP why a WebSocket was refused, because a browser tells no one.
 * Undefined unless the server gave a status that means something here.
 */
async function findStatus(engine: Engine, withCredentials?: boolean): Promise<number | undefined> {
  try {
    const url = engine._url("polling", "http");
    const credentials = withCredentials ? "include" : "same-origin";
    const response = await fetch(url, { credentials, signal: AbortSignal.timeout(3000) });
    if (response.ok) {
      // That opened a session, which nobody wants.
      const { sid } = JSON.parse((await response.text()).slice(1));
      await fetch(url + "&sid=" + sid, { method: "POST", body: "1", credentials });
    } else if (response.status > 400) {
      return response.status;
    }
  } catch (_) {
    // Not reachable over HTTP either: the event of the WebSocket says as much.
  }
}
