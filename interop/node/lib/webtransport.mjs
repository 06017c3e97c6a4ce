// The WebTransport that Node does not have, as much of it as the official client uses,
// over ../../wtbridge: its own code for streams runs, against real QUIC.
import { spawn } from "node:child_process";
import { connect } from "node:net";
import { createInterface } from "node:readline";

let port;

// bridge starts the executable; it ends with this process.
export async function bridge(file) {
  const child = spawn(file, { stdio: ["pipe", "pipe", "inherit"] });
  port = await new Promise((resolve, reject) => {
    child.once("error", reject);
    createInterface({ input: child.stdout }).once("line", (line) => resolve(Number(line)));
  });
  for (const handle of [child, child.stdin, child.stdout]) handle.unref();
  globalThis.WebTransport = WebTransport;
}

class WebTransport {
  #socket;
  #rest = [];

  constructor(url) {
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.setNoDelay(true);
    this.#socket.write(`${url}\n`);
    let failed;
    this.closed = new Promise((resolve, reject) => {
      this.#socket.on("error", (err) => (failed = err));
      this.#socket.on("close", () => (failed ? reject(failed) : resolve({ closeCode: 0, reason: "" })));
    });
    this.ready = new Promise((resolve, reject) => {
      let head = Buffer.alloc(0);
      const read = (chunk) => {
        head = Buffer.concat([head, chunk]);
        const end = head.indexOf(10);
        if (end < 0) return;
        this.#socket.off("data", read);
        this.#socket.pause();
        const answer = head.subarray(0, end).toString();
        if (end + 1 < head.length) this.#rest.push(head.subarray(end + 1));
        if (answer === "ok") return resolve();
        failed = new Error(answer);
        this.#socket.destroy();
        reject(failed);
      };
      this.#socket.on("data", read);
      this.#socket.once("close", () => reject(failed ?? new Error("the bridge has closed")));
    });
    this.ready.catch(() => {}); // as the browser's: closed tells as well
  }

  async createBidirectionalStream() {
    const socket = this.#socket;
    const rest = this.#rest;
    const readable = new ReadableStream({
      start(c) {
        for (const chunk of rest) c.enqueue(new Uint8Array(chunk));
        socket.on("data", (chunk) => {
          c.enqueue(new Uint8Array(chunk));
          if (c.desiredSize <= 0) socket.pause();
        });
        socket.once("close", () => {
          try {
            c.close();
          } catch {} // cancelled
        });
      },
      pull: () => void socket.resume(),
    });
    const writable = new WritableStream({
      // What nobody can get any more is dropped: the client does not look at that.
      write: (chunk) => new Promise((resolve) => (socket.writable ? socket.write(chunk, () => resolve()) : resolve())),
    });
    return { readable, writable };
  }

  close() {
    this.#socket.end();
  }
}
