/*! Sockeye, a Socket.IO client. MIT licence. */

// src/binary.ts
var viewOf = (data) => new Uint8Array(data.buffer || data, data.byteOffset, data.byteLength);
var bytesOf = async (data) => viewOf(data.size != null ? await data.arrayBuffer() : data);

// src/engine/packet.ts
var packetTypes = ["open", "close", "ping", "pong", "message", "upgrade", "noop"];
var encode = ({ type, data = "" }) => typeof data == "string" ? packetTypes.indexOf(type) + data : data;
function decode(data) {
  if (typeof data != "string") return { type: "message", data };
  const type = packetTypes[data[0]];
  return type && { type, data: data.slice(1) };
}

// src/engine/transport.ts
var transportError = (message, description, context) => Object.assign(Error(message), { type: "TransportError", description, context });

// src/engine/webtransport.ts
async function frame(packet) {
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
var webtransport = {
  name: "webtransport",
  e(engine, host, opts) {
    let writer;
    let session;
    const end = (details) => {
      const { e: _host } = self;
      self.e = void 0;
      _host?.n(details);
    };
    const fail = (error) => end(transportError("webtransport error", error));
    const self = {
      name: "webtransport",
      writable: false,
      e: host,
      r(packets) {
        self.writable = false;
        void (async () => {
          try {
            for (const packet of packets) await writer.write(await frame(packet));
            queueMicrotask(() => {
              self.writable = true;
              self.e?.o(packets.length);
            });
          } catch (error) {
            fail(error);
          }
        })();
      },
      t() {
        self.e = void 0;
        const hangUp = () => session.close();
        if (writer) writer.close().then(hangUp, hangUp);
        else if (session) session.ready.then(hangUp, () => {
        });
      }
    };
    async function read(from) {
      const reader = from.getReader();
      let have = new Uint8Array(0);
      const need = async (n) => {
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
      for (; ; ) {
        const first = await need(1);
        if (!first || !self.e) break;
        let size = first[0] & 127;
        if (size > 125) {
          const rest = await need(size == 126 ? 2 : 8);
          if (!rest) break;
          const view = new DataView(rest.buffer);
          size = rest.length == 2 ? view.getUint16(0) : Number(view.getBigUint64(0));
        }
        if (!size || !Number.isSafeInteger(size)) throw Error("parser error");
        const body = await need(size);
        if (!body || !self.e) break;
        const packet = first[0] & 128 ? { type: "message", data: body.buffer } : decode(new TextDecoder().decode(body));
        if (!packet) throw Error("parser error");
        self.e.i(packet);
      }
      end({ description: "transport closed by the server" });
    }
    void (async () => {
      try {
        const { transportOptions } = engine.opts;
        session = new WebTransport(engine.c("webtransport", "http", opts).replace(/^https?/, "https"), transportOptions && transportOptions.webtransport);
        session.closed.then(() => end({ description: "transport closed gracefully" }), fail);
        await session.ready;
        if (!self.e) return;
        const stream = await session.createBidirectionalStream();
        writer = stream.writable.getWriter();
        void read(stream.readable).catch(fail);
        const sid = engine.id;
        await writer.write(await frame({ type: "open", data: sid && JSON.stringify({ sid }) }));
        if (!self.e) return;
        self.writable = true;
        self.e.r?.();
      } catch (error) {
        fail(error);
      }
    })();
    return self;
  }
};
export {
  webtransport as WebTransport,
  webtransport as default,
  webtransport
};
//# sourceMappingURL=webtransport.dev.js.map
