// A TCP proxy between client and server that can be told to misbehave.
import { createServer, connect } from "node:net";
import { once } from "node:events";

export class Proxy {
  #pairs = new Set();
  #server;
  #frozen = false;
  #severed = false;
  #moved = performance.now(); // the last byte, or connection

  static async start(target) {
    const p = new Proxy();
    p.#server = createServer((client) => p.#open(client, target));
    p.#server.listen(0, "127.0.0.1");
    await once(p.#server, "listening");
    p.port = p.#server.address().port;
    p.url = `http://127.0.0.1:${p.port}`;
    return p;
  }

  #open(client, target) {
    if (this.#severed) return client.resetAndDestroy();
    this.#moved = performance.now();
    const server = connect(target, "127.0.0.1");
    const pair = { client, server };
    this.#pairs.add(pair);
    const over = () => {
      if (this.#frozen) return; // an end would be bytes, too
      client.destroy();
      server.destroy();
      this.#pairs.delete(pair);
    };
    client.on("error", over).on("close", over);
    server.on("error", over).on("close", over);
    const pass = (to) => (d) => {
      this.#moved = performance.now();
      if (!this.#frozen) to.write(d);
    };
    client.on("data", pass(server));
    server.on("data", pass(client));
  }

  // still resolves when nothing has come through for a while.
  async still() {
    const quiet = 100;
    for (let left; (left = this.#moved + quiet - performance.now()) > 0; ) await new Promise((r) => setTimeout(r, left));
  }

  // cut ends every connection at once, without a goodbye.
  cut() {
    for (const { client, server } of this.#pairs) {
      client.resetAndDestroy();
      server.resetAndDestroy();
    }
  }

  // sever lets no new connection through from now on.
  sever() {
    this.#severed = true;
  }

  // freeze swallows every byte from now on and keeps the connections open, as
  // a phone that drove into a tunnel does: also those that one side has ended.
  freeze() {
    this.#frozen = true;
  }

  // toClient and toServer put bytes into the stream of every connection.
  toClient(bytes) {
    for (const { client } of this.#pairs) client.write(bytes);
  }

  toServer(bytes) {
    for (const { server } of this.#pairs) server.write(bytes);
  }

  close() {
    this.#server.close();
    for (const { client, server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
  }
}

// frame is a short unfragmented WebSocket text frame; masked as a client's.
export function frame(text, masked) {
  const payload = Buffer.from(text);
  if (payload.length > 125) throw new Error("frame is for short texts");
  if (!masked) return Buffer.concat([Buffer.from([0x81, payload.length]), payload]);
  // A mask of zeros is a mask, and leaves the payload as it is.
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]);
}
