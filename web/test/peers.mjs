// The servers that the client is tested against, each in a process of its own
// and behind a proxy that can cut.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { folder } from "./build.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));

let binary;
function goServer() {
  if (!binary) {
    binary = join(folder, "server");
    execFileSync("go", ["build", "-o", binary, "./server"], { cwd: here, stdio: "inherit" });
  }
  return [binary];
}

/** Commands that start a server and print its port. */
export const peers = {
  "the official server": () => [process.execPath, here + "node-server.mjs"],
  "our server": goServer,
};

/** A server that can be stopped, started again, and cut off. */
export class Peer {
  #command;
  #child;
  #target;
  #proxy;
  #port = 0;
  #frozen = false;
  #pairs = new Set();

  static async start(command) {
    const peer = new Peer();
    peer.#command = command;
    peer.#proxy = createServer((client) => peer.#forward(client));
    await peer.resume();
    peer.url = `http://127.0.0.1:${peer.#proxy.address().port}`;
    return peer;
  }

  #forward(client) {
    const server = connect(this.#target, "127.0.0.1");
    const pair = [client, server];
    this.#pairs.add(pair);
    const over = () => {
      this.#pairs.delete(pair);
      for (const end of pair) end.destroy();
    };
    for (const end of pair) end.on("error", over).on("close", over);
    client.on("data", (data) => this.#frozen || server.write(data));
    server.on("data", (data) => this.#frozen || client.write(data));
  }

  /** Swallows everything from now on, as a tunnel does a phone's. */
  freeze() {
    this.#frozen = true;
  }

  /** Ends every connection without a goodbye. */
  cut() {
    for (const pair of this.#pairs) for (const end of pair) end.destroy();
  }

  /** Ends the server; until resume there is none. */
  async pause() {
    const gone = once(this.#child, "exit");
    this.#proxy.close();
    this.#child.kill("SIGKILL");
    await gone;
    this.cut();
  }

  /** Starts the server, afresh. */
  async resume() {
    const [file, ...args] = this.#command;
    this.#child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
    const [port] = await once(createInterface(this.#child.stdout), "line");
    this.#target = Number(port);
    this.#proxy.listen(this.#port, "127.0.0.1");
    await once(this.#proxy, "listening");
    this.#port = this.#proxy.address().port;
  }

  close() {
    return this.pause();
  }
}
