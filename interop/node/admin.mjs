// An official server that shows itself to the Admin UI, for `sockeye top`:
// node admin.mjs [port]. The words are few: join a room, and say something to it.
import { createServer } from "node:http";
import { Server } from "socket.io";
import adminUI from "@socket.io/admin-ui";

const [port = "0"] = process.argv.slice(2);
const http = createServer();
const io = new Server(http);
// The password is "letmein".
adminUI.instrument(io, {
  auth: { type: "basic", username: "admin", password: "$2a$04$sgDEEVRQU.Pe7VXXOjY2bu19ZHGXyc4rGZ1OKM/ayXnZDlX.2IGGO" },
});
io.on("connection", (socket) => {
  socket.on("join", (room, ack) => {
    socket.join(room);
    ack();
  });
  socket.on("say", (room, text) => io.to(room).emit("said", text));
});
http.listen(Number(port), "127.0.0.1", () => console.log("listening " + http.address().port));
process.stdin.resume().on("end", () => process.exit(0));
