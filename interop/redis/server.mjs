// A Socket.IO server of Node on the Redis adapter, that does what its stdin says
// and answers with one line of JSON each. ../redis_test.go has the same in Go.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Redis } from "ioredis";
import { Server } from "socket.io";
import { createAdapter, createShardedAdapter } from "@socket.io/redis-adapter";
import { Emitter } from "@socket.io/redis-emitter";
import { createAdapter as createStreamsAdapter } from "@socket.io/redis-streams-adapter";

const [port, mode] = process.argv.slice(2);
const pub = new Redis(Number(port));
const sub = pub.duplicate();
const httpServer = createServer();
const adapters = {
  classic: () => createAdapter(pub, sub),
  sharded: () => createShardedAdapter(pub, sub),
  "sharded static": () => createShardedAdapter(pub, sub, { subscriptionMode: "static" }),
  "sharded private": () => createShardedAdapter(pub, sub, { subscriptionMode: "dynamic-private" }),
  streams: () => createStreamsAdapter(pub),
  "streams sharded": () => createStreamsAdapter(pub, { streamCount: 3, useShardedPubSub: true }),
  recovery: () => createStreamsAdapter(pub),
};
const connectionStateRecovery = mode === "recovery" ? {} : undefined;
const io = new Server(httpServer, { adapter: adapters[mode](), connectionStateRecovery });
const emitter = new Emitter(pub);
io.on("connection", (socket) => socket.join("node"));
const said = [];
io.on("hello", (...args) => said.push(args));
io.on("sum", (a, b, cb) => cb({ sum: a + b }));
const say = (v) => process.stdout.write(JSON.stringify(v === undefined ? null : v) + "\n");

const does = {
  emit: ([room, except, ev, ...args]) => void io.to(room).except(except).emit(ev, ...args),
  binary: ([room, ev]) => void io.to(room).emit(ev, { b: Buffer.from([1, 2, 3]) }),
  all: ([ev, ...args]) => void io.emit(ev, ...args),
  volatile: ([ev]) => void io.volatile.emit(ev),
  ask: ([room, v]) => io.to(room).timeout(3000).emitWithAck("ask", v),
  fetch: async ([room]) =>
    (await io.in(room).fetchSockets()).map((s) => [s.id, [...s.rooms].sort(), s.data.name ?? null, s.handshake.auth.who ?? null]),
  join: ([room, ...rooms]) => void io.in(room).socketsJoin(rooms),
  leave: ([room, ...rooms]) => void io.in(room).socketsLeave(rooms),
  disconnect: ([room]) => void io.in(room).disconnectSockets(true),
  hello: ([...args]) => void io.serverSideEmit("hello", ...args),
  sum: ([a, b]) => io.serverSideEmitWithAck("sum", a, b),
  said: () => said.splice(0),
  count: () => io.of("/").adapter.serverCount(),
  emitter: ([room, ev, ...args]) => void emitter.to(room).emit(ev, ...args),
};

httpServer.listen(0, "127.0.0.1", () => say({ port: httpServer.address().port }));
createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const { op, args } = JSON.parse(line);
    try {
      say(await does[op](args));
    } catch (e) {
      say({ error: String(e) });
    }
  })
  .on("close", () => process.exit(0));
