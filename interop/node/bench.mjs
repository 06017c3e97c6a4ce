// The events of `sockeye bench`, on an official server: node bench.mjs 4|2 [port].
import { createServer } from "node:http";

const [version, port = "0"] = process.argv.slice(2);
const Server = version === "2" ? (await import("socket.io-2")).default : (await import("socket.io")).Server;
const http = createServer();
const io = new Server(http);
io.on("connection", (socket) => {
  socket.on("bench:echo", (value, ack) => ack(value));
  socket.on("bench:join", (room, ack) => {
    socket.join(room);
    ack();
  });
  socket.on("bench:say", (room, at, payload) => io.to(room).emit("bench:said", at, payload));
});
http.listen(Number(port), "127.0.0.1", () => console.log("listening " + http.address().port));
process.stdin.resume().on("end", () => process.exit(0));
