// What the development build says, in words and with a link to where there are more.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { describe, mock, test } from "node:test";
import WebSocket from "ws";
import { Peer, peers } from "./peers.mjs";

globalThis.WebSocket ??= WebSocket; // Node 20 has none
const { Manager, io } = await import("../dist/index.dev.js");

const said = mock.method(console, "warn", () => {});
const warnings = () => {
  const texts = said.mock.calls.map(({ arguments: [text] }) => text);
  said.mock.resetCalls();
  return texts;
};
const about = (topic) => new RegExp(`^socket\\.io: .+\\nhttps://\\S+#${topic}$`);

const anchors = [...readFileSync(new URL("../../docs/browser-client.md", import.meta.url), "utf8").matchAll(/^### (.+)$/gm)].map(([, title]) => title);

test("every warning has its place in the documentation", () => {
  const source = readFileSync(new URL("../src/dev.ts", import.meta.url), "utf8") + readFileSync(new URL("../src/emitter.ts", import.meta.url), "utf8") + readFileSync(new URL("../src/socket.ts", import.meta.url), "utf8");
  const topics = [...source.matchAll(/\bwarn\("([\w-]+)"/g)].map(([, topic]) => topic);
  assert.ok(topics.length >= 10);
  for (const topic of topics) assert.ok(anchors.includes(topic), topic);
});

describe("listeners", () => {
  const socket = () => new Manager("http://127.0.0.1:1", { autoConnect: false }).socket("/");
  test("the same one twice", () => {
    const s = socket();
    const listener = () => {};
    s.on("a", listener);
    assert.deepEqual(warnings(), []);
    s.on("a", listener);
    const [text, ...more] = warnings();
    assert.match(text, about("twice"));
    assert.match(text, /2 times for "a"/);
    assert.deepEqual(more, []);
  });
  test("more than ten", () => {
    const s = socket();
    for (let n = 0; n < 11; n++) s.on("b", () => n);
    assert.match(warnings().join(), about("many"));
  });
});

test("too many events that wait", () => {
  const s = new Manager("http://127.0.0.1:1", { autoConnect: false }).socket("/", { bufferLimit: 1 });
  s.emit("a").emit("b");
  assert.match(warnings().join(), about("buffer"));
});

test("a namespace that does not exist", async () => {
  const peer = await Peer.start(peers["the official server"]());
  const s = io(peer.url + "/nowhere", { transports: ["websocket"] });
  const [error] = await new Promise((resolve) => s.on("connect_error", (...args) => resolve(args)));
  assert.equal(error.message, "Invalid namespace");
  assert.match(warnings().join(), about("namespace"));
  s.disconnect();
  await peer.close();
});

for (const [topic, answer] of Object.entries({
  "not-socketio": (res) => res.end("<!doctype html><title>app</title>"),
  "not-found": (res) => res.writeHead(404).end(),
  "bad-request": (res) => res.writeHead(400).end(),
  refused: (res) => res.writeHead(403).end(),
  unreachable: (res) => res.destroy(),
})) {
  test(topic, async () => {
    const server = createServer((_, res) => answer(res)).listen(0, "127.0.0.1");
    await once(server, "listening");
    const s = io(`http://127.0.0.1:${server.address().port}`, { transports: ["polling"], reconnection: false, forceNew: true });
    await new Promise((resolve) => s.on("connect_error", resolve));
    assert.match(warnings().join(), about(topic));
    server.closeAllConnections();
    server.close();
  });
}

test("no host", () => {
  assert.throws(() => io("/chat"), /^Error: io\(\): without a page to take it from, the address must name a host, as in io\("https:\/\/example\.org"\)$/);
});
