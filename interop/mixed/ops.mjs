// What a Socket.IO server of Node in a mixed cluster does when its stdin says so; it
// answers with one line of JSON each. server.go has the same in Go.
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const say = (v) => process.stdout.write(JSON.stringify(v === undefined ? null : v) + "\n");

export function serve(Server, adapter, emitter) {
  const httpServer = createServer();
  const io = new Server(httpServer, { adapter });
  io.on("connection", (socket) => socket.join("node"));
  const said = [];
  io.on("hello", (...args) => said.push(args));
  io.on("sum", (a, b, cb) => cb({ sum: a + b }));

  const does = {
    emit: ([room, except, ev, ...args]) => void io.to(room).except(except).emit(ev, ...args),
    binary: ([room, ev]) => void io.to(room).emit(ev, { b: Buffer.from([1, 2, 3]) }),
    all: ([ev, ...args]) => void io.emit(ev, ...args),
    volatile: ([ev]) => void io.volatile.emit(ev),
    ask: ([room, v]) => io.to(room).timeout(3000).emitWithAck("ask", v),
    askBinary: async ([room]) => (await io.to(room).timeout(3000).emitWithAck("bytes", Buffer.from([9]))).map((b) => [...b]),
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
    emitterBinary: ([room, ev]) => void emitter.to(room).emit(ev, { b: Buffer.from([1, 2, 3]) }),
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
}
