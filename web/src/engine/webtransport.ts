import { bytesOf } from "../binary";
import { decode, encode, type EnginePacket } from "./packet";
import { type Transport, transportError, type TransportKind } from "./transport";

// What TypeScript's DOM library does not have everywhere.
interface Session {
  ready: Promise<void>;
  closed: Promise<unknown>;
  createBidirectionalStream(): Promise<{ readable: ReadableStream<Uint8Array>; writable: WritableStream<Uint8Array> }>;
  close(): void;
}
declare const WebTransport: new (url: string, options?: unknown) => Session;

/** Writes a packet with the length, and whether it is binary, before it. */
async function frame(packet: EnginePacket): Promise<Uint8Array> {
  const message = encode(packet);
  const binary = typeof message != "string";
  const body = binary ? await bytesOf(message) : new TextEncoder().encode(message);
  const size = body.length;
  const head = size < 126 ? 1 : size < 65536 ? 3 : 9;
  const out = new Uint8Array(head + size);
  const view = new DataView(out.buffer);
  view.setUint8(0, (binary ? 128 : 0) | (head == 1 ? size : head == 3 ? 126 : 127));
  if (head == 3) view.setUint16(1, size);
  if (head == 9) view.setBigUint64(1, BigInt(size));
  out.set(body, head);
  return out;
}

/** The WebTransport transport: one stream in both directions over HTTP/3. */
export const webtransport: TransportKind = {
  name: "webtransport",

  _start(engine, host, opts) {
    let writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
    let session: Session | undefined;

    const end = (details: unknown) => {
      const { _host } = self;
      self._host = undefined;
      _host?._end(details);
    };
    const fail = (error: unknown) => end(transportError("webtransport error", error));

    const self: Transport = {
      name: "webtransport",
      writable: false,
      _host: host,

      _send(packets) {
        self.writable = false;
        void (async () => {
          try {
            for (const packet of packets) await writer!.write(await frame(packet));
            soon(() => {
              self.writable = true;
              self._host?._drain(packets.length);
            });
          } catch (error) {
            fail(error);
          }
        })();
      },

      _close() {
        self._host = undefined;
        // What is in the stream still leaves.
        const hangUp = () => session!.close();
        if (writer) writer.close().then(hangUp, hangUp);
        else if (session) session.ready.then(hangUp, () => {});
      },
    };

    // Bytes come in chunks of any size.
    async function read(from: ReadableStream<Uint8Array>) {
      const reader = from.getReader();
      let have: Uint8Array = new Uint8Array(0);
      const need = async (n: number): Promise<Uint8Array | undefined> => {
        if (have.length < n) {
          const chunks = [have];
          let size = have.length;
          while (size < n) {
            const { value, done } = await reader.read();
            if (done) return;
            chunks.push(value);
            size += value.length;
          }
          have = new Uint8Array(size);
          let at = 0;
          for (const chunk of chunks) {
            have.set(chunk, at);
            at += chunk.length;
          }
        }
        const taken = have.slice(0, n);
        have = have.subarray(n);
        return taken;
      };
      for (;;) {
        const first = await need(1);
        if (!first || !self._host) break;
        let size = first[0] & 127;
        if (size > 125) {
          const rest = await need(size == 126 ? 2 : 8);
          if (!rest) break;
          const view = new DataView(rest.buffer);
          size = rest.length == 2 ? view.getUint16(0) : Number(view.getBigUint64(0));
        }
        if (!size || !Number.isSafeInteger(size)) throw Error("parser error");
        const body = await need(size);
        if (!body || !self._host) break;
        const packet: EnginePacket | undefined = first[0] & 128 ? { type: "message", data: body.buffer as ArrayBuffer } : decode(new TextDecoder().decode(body));
        if (!packet) throw Error("parser error");
        self._host._packet(packet);
      }
      end({ description: "transport closed by the server" });
    }

    void (async () => {
      try {
        const { transportOptions } = engine.opts;
        session = new WebTransport(engine._url("webtransport", "http", opts).replace(/^https?/, "https"), transportOptions && transportOptions.webtransport);
        session.closed.then(() => end({ description: "transport closed gracefully" }), fail);
        await session.ready;
        if (!self._host) return;
        const stream = await session.createBidirectionalStream();
        writer = stream.writable.getWriter();
        void read(stream.readable).catch(fail);
        const sid = engine.id;
        await writer.write(await frame({ type: "open", data: sid && JSON.stringify({ sid }) }));
        if (!self._host) return;
        self.writable = true;
        self._host._open?.();
      } catch (error) {
        fail(error);
      }
    })();
    return self;
  },
};
