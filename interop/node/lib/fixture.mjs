// A server under test, as a subprocess. Both kinds are started, asked and
// listened to in the same way; see ../../README.md.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { within } from "./wait.mjs";

const official = fileURLToPath(new URL("../server.mjs", import.meta.url));

export class Fixture {
  #child;
  #waiting = new Set();
  #commands = new Map();
  #n = 0;
  reports = [];
  stderr = "";

  // start resolves when the server listens. kind is "node", or the path of an
  // executable that keeps the same protocol.
  static async start(kind, options = {}) {
    const f = new Fixture();
    const [file, args] = kind === "node" ? [process.execPath, [official]] : [kind, []];
    f.#child = spawn(file, args, {
      stdio: ["pipe", "pipe", "pipe"],
      // Without a line for every packet, which would be most of the work.
      env: { SOCKEYE_DEBUG: "*,-socket.io-parser,-engine:socket", ...process.env, FIXTURE_OPTIONS: JSON.stringify(options) },
    });
    f.exited = new Promise((resolve) => f.#child.once("exit", (code, signal) => resolve({ code, signal })));
    f.#child.stderr.on("data", (d) => (f.stderr += d));
    f.#child.stdin.on("error", () => {}); // it may have been killed
    const failed = new Promise((_, reject) => {
      f.#child.once("error", reject);
      f.#child.once("exit", (code) => reject(new Error(`the server exited (${code}) before it listened: ${f.stderr}`)));
    });
    failed.catch(() => {});
    const listening = new Promise((resolve) => {
      createInterface({ input: f.#child.stdout }).on("line", (line) => {
        const m = /^listening (\d+)$/.exec(line);
        if (m) resolve(Number(m[1]));
        else f.#report(JSON.parse(line));
      });
    });
    f.port = await within(30_000, "the server to listen", Promise.race([listening, failed]));
    f.url = `http://127.0.0.1:${f.port}`;
    return f;
  }

  #report(r) {
    if (r.report === "done") {
      this.#commands.get(r.n)?.();
      return;
    }
    this.reports.push(r);
    for (const w of this.#waiting) {
      if (w.wants(r)) {
        this.#waiting.delete(w);
        w.resolve(r);
      }
    }
  }

  // told resolves with the first report, past or future, whose fields are
  // those of want.
  told(want) {
    const wants = (r) => Object.entries(want).every(([k, v]) => r[k] === v);
    const past = this.reports.find(wants);
    if (past) return Promise.resolve(past);
    return within(
      10_000,
      () => `the server to report ${JSON.stringify(want)}; about it so far: ${JSON.stringify(this.reports.filter((r) => r.id === want.id))}`,
      new Promise((resolve) => this.#waiting.add({ wants, resolve })),
    );
  }

  command(cmd, fields = {}) {
    const n = ++this.#n;
    this.#child.stdin.write(JSON.stringify({ n, cmd, ...fields }) + "\n");
    return within(15_000, `the server to do ${cmd}`, new Promise((resolve) => this.#commands.set(n, resolve)));
  }

  // freeze stops the process, as a machine that hangs would; its sockets stay
  // open.
  freeze() {
    this.#child.kill("SIGSTOP");
  }

  thaw() {
    this.#child.kill("SIGCONT");
  }

  async kill() {
    this.#child.kill("SIGKILL");
    return this.exited;
  }
}
