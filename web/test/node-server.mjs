// The official server with the application of the tests, the twin of
// server/main.go. It prints its port, and ends with its standard input.
import { createServer } from "node:http";
import { Server } from "socket.io";

const http = createServer();
const io = new Server(http, JSON.parse(process.argv[2] ?? "{}")); // options
// The last request: after an upgrade, that of the WebSocket.
let last;
io.engine.on("headers", (_, req) => (last = req));
io.on("connection", (socket) => {
  socket.on("echo", (...args) => {
    const ack = args.pop();
    ack(...args);
  });
  socket.on("say", (...args) => socket.emit("said", ...args));
  socket.on("ask me", (ack) => socket.emit("question", 20, (answer) => ack(answer)));
  socket.on("what is my token", (ack) => ack(socket.handshake.query.token));
  socket.on("what are my headers", (ack) => ack({ who: last.headers["x-who"], cookie: last.headers.cookie }));
  socket.on("talk nonsense", () => socket.conn.write("nonsense"));
  socket.on("kick me", () => socket.disconnect());
  const heard = new Set();
  socket.on("mumble", (word, ack) => {
    if (heard.has(word)) ack("at last: " + word);
    heard.add(word);
  });
  socket.on("tell everyone later", (text) => {
    socket.once("disconnect", () => io.emit("said", text));
  });
});
io.of("/guarded").use((socket, done) => {
  if (socket.handshake.auth.token === "good") return done();
  done(Object.assign(new Error("Invalid token"), { data: { code: 401 } }));
});
http.listen(0, "127.0.0.1", () => console.log(http.address().port));
process.stdin.on("end", () => process.exit()).resume();
