// Official clients, one for each url. What they receive they write down; they
// answer "ask" with who they are. A line of stdin has one break its connection, or
// connect to a server.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const say = (v) => process.stdout.write(JSON.stringify(v) + "\n");
const sockets = process.argv.slice(2).map((url, c) => {
  const socket = io(url, { forceNew: true, reconnection: false, auth: { who: c } });
  socket.on("connect", () => say({ c, on: "connect", id: socket.id, pid: socket._pid, recovered: socket.recovered }));
  socket.on("disconnect", () => say({ c, on: "disconnect" }));
  socket.on("ask", (v, cb) => cb(`${v} ${c}`));
  socket.onAny((ev, ...args) => {
    if (ev !== "ask") say({ c, on: "event", ev, args: args.map((a) => (a && a.b ? [...a.b] : a)) });
  });
  return socket;
});
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const { c, cut, url } = JSON.parse(line);
    if (cut) return sockets[c].io.engine.close();
    sockets[c].io.uri = url;
    sockets[c].connect();
  })
  .on("close", () => process.exit(0));
