// Official clients, one for each url. What they receive they write down; they
// answer "ask" with who they are.
import { io } from "socket.io-client";

const say = (v) => process.stdout.write(JSON.stringify(v) + "\n");
process.argv.slice(2).forEach((url, c) => {
  const socket = io(url, { forceNew: true, reconnection: false, auth: { who: c } });
  socket.on("connect", () => say({ c, on: "connect", id: socket.id }));
  socket.on("disconnect", () => say({ c, on: "disconnect" }));
  socket.on("ask", (v, cb) => cb(`${v} ${c}`));
  socket.onAny((ev, ...args) => {
    if (ev !== "ask") say({ c, on: "event", ev, args: args.map((a) => (a && a.b ? [...a.b] : a)) });
  });
});
process.stdin.on("end", () => process.exit(0)).resume();
