// Plays sessions against the official server and writes down what is said, as
// sessions.json. With --check it compares instead.
//
//   (cd interop/node && npm ci) && node testdata/vectors/record.mjs [--check]

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../interop/node/package.json", import.meta.url));
const { Server } = require("socket.io");
const { WebSocket } = require("ws");
const file = new URL("sessions.json", import.meta.url);
const SEPARATOR = "\x1e";

// The application that every session talks to; README.md describes it.
function application(io) {
  const onConnection = (socket) => {
    socket.on("echo", (...args) => {
      const ack = args.at(-1);
      if (typeof ack === "function") ack(...args.slice(0, -1));
      else socket.emit("echo", ...args);
    });
    socket.on("bye", () => socket.disconnect());
    socket.on("leave", () => socket.disconnect(true));
    socket.on("ask", () => socket.emit("question", 1, (...answer) => socket.emit("answered", ...answer)));
  };
  io.on("connection", onConnection);
  io.of("/chat").on("connection", onConnection);
  io.of("/admin")
    .use((socket, next) => {
      if (socket.handshake.auth.token === "good") return next();
      next(Object.assign(new Error("not authorized"), { data: { code: "E001" } }));
    })
    .on("connection", onConnection);
}

// A Player is the client of one session, and its scribe.
class Player {
  steps = [];
  #names = new Map(); // ids that differ each time, and what stands for them
  #queue = [];
  #poll;

  constructor(port) {
    this.port = port;
  }

  #note(step) {
    if (typeof step.text === "string") {
      const id = /^(?:0|40(\/[^,]*,)?)\{"sid":"([^"]+)"/.exec(step.text);
      if (step.from === "server" && id) {
        const namespace = id[1]?.slice(0, -1) ?? "/";
        this.#names.set(id[2], step.text[0] === "0" ? "<session>" : namespace === "/" ? "<socket>" : `<socket ${namespace}>`);
      }
      for (const [value, name] of this.#names) step.text = step.text.replaceAll(value, name);
    }
    this.steps.push(step);
  }

  #request(method, query, body) {
    return new Promise((resolve, reject) => {
      const req = http.request({ port: this.port, host: "127.0.0.1", method, path: `/socket.io/?EIO=4&transport=polling${query}`, agent: false }, (res) => {
        let text = "";
        res.setEncoding("utf8").on("data", (d) => (text += d));
        res.on("end", () => resolve({ status: res.statusCode, text }));
      });
      req.on("error", reject).end(body);
    });
  }

  async openPolling() {
    const { text } = await this.#request("GET", "");
    this.sid = JSON.parse(text.slice(1)).sid;
    this.#note({ from: "server", transport: "polling", text });
  }

  async post(...packets) {
    const wire = packets.map((p) => (typeof p === "string" ? p : "b" + p.toString("base64"))).join(SEPARATOR);
    for (const p of packets) this.#note({ from: "client", transport: "polling", ...said(p) });
    const { status } = await this.#request("POST", `&sid=${this.sid}`, wire);
    return status;
  }

  // startPoll leaves a poll waiting; expectPoll is what brings its answer.
  startPoll() {
    this.#poll = this.#request("GET", `&sid=${this.sid}`);
  }

  // expectPoll polls until n packets have come.
  async expectPoll(n = 1) {
    while (n > 0) {
      const { status, text } = await (this.#poll ?? this.#request("GET", `&sid=${this.sid}`));
      this.#poll = undefined;
      assert.equal(status, 200, text);
      for (const p of text.split(SEPARATOR)) {
        this.#note({ from: "server", transport: "polling", ...said(p[0] === "b" ? Buffer.from(p.slice(1), "base64") : p) });
        n--;
      }
    }
  }

  async openWebSocket(query = "") {
    this.ws = new WebSocket(`ws://127.0.0.1:${this.port}/socket.io/?EIO=4&transport=websocket${query}`);
    this.ws.on("message", (data, isBinary) => this.#push(said(isBinary ? data : data.toString())));
    this.ws.on("close", () => this.#push({ close: true }));
    await new Promise((resolve, reject) => this.ws.on("open", resolve).on("error", reject));
  }

  #push(step) {
    this.#queue.push({ from: "server", transport: "websocket", ...step });
    this.wake?.();
  }

  send(...messages) {
    for (const m of messages) {
      this.#note({ from: "client", transport: "websocket", ...said(m) });
      this.ws.send(m);
    }
  }

  // expect waits for n messages, or the end, on the WebSocket.
  async expect(n = 1) {
    for (; n > 0; n--) {
      while (!this.#queue.length) await new Promise((resolve) => (this.wake = resolve));
      this.#note(this.#queue.shift());
    }
  }

  async join(namespace = "/") {
    this.send(namespace === "/" ? "40" : `40${namespace},`);
    await this.expect();
  }
}

const said = (p) => (typeof p === "string" ? { text: p } : { binary: p.toString("base64") });
const bytes = Buffer.from([1, 2, 3]);
const placeholder = '{"_placeholder":true,"num":0}';

const scripts = {
  "polling: handshake, connect, event, ack": async (p) => {
    await p.openPolling();
    await p.post("40");
    await p.expectPoll();
    await p.post('42["echo","hello",{"a":[1,null]}]');
    await p.expectPoll();
    await p.post('420["echo","one"]', '421["echo"]');
    await p.expectPoll(2);
  },
  "polling: close": async (p) => {
    await p.openPolling();
    await p.post("40");
    await p.expectPoll();
    p.startPoll();
    await p.post("1");
    await p.expectPoll();
  },
  "polling: binary event and ack": async (p) => {
    await p.openPolling();
    await p.post("40");
    await p.expectPoll();
    await p.post(`451-["echo",${placeholder}]`, bytes);
    await p.expectPoll(2);
    await p.post(`451-7["echo",{"in":${placeholder}}]`, bytes);
    await p.expectPoll(2);
  },
  "websocket: handshake, connect, event, ack": async (p) => {
    await p.openWebSocket();
    await p.expect();
    await p.join();
    p.send('42["echo","größe 😀"]');
    await p.expect();
    p.send('4212["echo",1,"two"]');
    await p.expect();
  },
  "websocket: the server asks for an ack": async (p) => {
    await p.openWebSocket();
    await p.expect();
    await p.join();
    p.send('42["ask"]');
    await p.expect();
    p.send('430["yes",2]');
    await p.expect();
  },
  "websocket: binary event and ack": async (p) => {
    await p.openWebSocket();
    await p.expect();
    await p.join();
    p.send(`452-["echo",${placeholder},{"x":{"_placeholder":true,"num":1}}]`, bytes, Buffer.alloc(0));
    await p.expect(3);
    p.send(`451-7["echo",${placeholder}]`, bytes);
    await p.expect(2);
  },
  "websocket: several namespaces": async (p) => {
    await p.openWebSocket();
    await p.expect();
    await p.join();
    await p.join("/chat");
    p.send('42/chat,3["echo","a"]', '42["echo","b"]');
    await p.expect(2);
  },
  "websocket: a namespace refuses with data, then accepts": async (p) => {
    await p.openWebSocket();
    await p.expect();
    p.send('40/admin,{"token":"bad"}');
    await p.expect();
    p.send('40/admin,{"token":"good"}');
    await p.expect();
    p.send('42/admin,0["echo"]');
    await p.expect();
  },
  "websocket: a namespace that does not exist": async (p) => {
    await p.openWebSocket();
    await p.expect();
    p.send("40/nowhere,");
    await p.expect();
    await p.join();
  },
  "websocket: the client leaves a namespace": async (p) => {
    await p.openWebSocket();
    await p.expect();
    await p.join();
    await p.join("/chat");
    p.send("41/chat,", '42["echo","still here"]');
    await p.expect();
    await p.join("/chat");
  },
  "websocket: the server disconnects from a namespace": async (p) => {
    await p.openWebSocket();
    await p.expect();
    await p.join();
    await p.join("/chat");
    p.send('42/chat,["bye"]');
    await p.expect();
    p.send('42["echo","still here"]');
    await p.expect();
  },
  "websocket: the server ends the connection": async (p) => {
    await p.openWebSocket();
    await p.expect();
    await p.join();
    p.send('42["leave"]');
    await p.expect(2);
  },
  "websocket: heartbeat": async (p) => {
    await p.openWebSocket();
    await p.expect();
    await p.join();
    await p.expect();
    p.send("3");
    await p.expect();
    p.send("3");
  },
  "websocket: a packet that cannot be decoded ends the connection": async (p) => {
    await p.openWebSocket();
    await p.expect();
    await p.join();
    p.send('42{"not":"a list"}');
    await p.expect();
  },
  "websocket: a reserved event ends the connection": async (p) => {
    await p.openWebSocket();
    await p.expect();
    await p.join();
    p.send('42["disconnect"]');
    await p.expect();
  },
  "websocket: text in place of an attachment ends the connection": async (p) => {
    await p.openWebSocket();
    await p.expect();
    await p.join();
    p.send(`451-["echo",${placeholder}]`, '42["echo"]');
    await p.expect();
  },
  "websocket: an attachment that is not due ends the connection": async (p) => {
    await p.openWebSocket();
    await p.expect();
    await p.join();
    p.send(bytes);
    await p.expect();
  },
  "websocket: an event for a namespace that was not joined ends the connection": async (p) => {
    await p.openWebSocket();
    await p.expect();
    p.send('42/chat,["echo"]');
    await p.expect();
  },
  "upgrade: probe, then events on the WebSocket": async (p) => {
    await p.openPolling();
    await p.post("40");
    await p.expectPoll();
    p.startPoll();
    await p.openWebSocket(`&sid=${p.sid}`);
    p.send("2probe");
    await p.expect();
    await p.expectPoll();
    p.send("5");
    p.send('420["echo","upgraded"]');
    await p.expect();
  },
};

const sessions = [];
async function play(name, script) {
  const server = http.createServer();
  const options = name.includes("heartbeat") ? { pingInterval: 100, pingTimeout: 20000 } : {};
  const io = new Server(server, { serveClient: false, ...options });
  application(io);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const p = new Player(server.address().port);
  const late = setTimeout(() => {
    console.error(`${name}: stuck after`, p.steps.slice(-3));
    process.exit(1);
  }, 10_000);
  await script(p);
  clearTimeout(late);
  p.ws?.removeAllListeners("close");
  p.ws?.terminate();
  io.close();
  server.closeAllConnections();
  sessions.push({ name, options, steps: p.steps });
}
for (const [name, script] of Object.entries(scripts)) await play(name, script);

// One step a line, so that a difference can be read.
const line = (s) => `      ${JSON.stringify(s)}`;
const out = `{
  "protocol": {"engine": 4, "socket": 5},
  "sessions": [
${sessions.map((s) => `    {"name": ${JSON.stringify(s.name)}, "options": ${JSON.stringify(s.options)}, "steps": [\n${s.steps.map(line).join(",\n")}\n    ]}`).join(",\n")}
  ]
}
`;
if (process.argv.includes("--check")) {
  assert.equal(readFileSync(file, "utf8"), out);
  console.log(`${sessions.length} sessions as the official server has them`);
} else {
  writeFileSync(file, out);
  console.log(`${sessions.length} sessions written`);
}
process.exit(0);
