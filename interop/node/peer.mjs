// An official server for the Go client, of Socket.IO 4 or 2, with the same words
// in both: node peer.mjs 4|2 [port]. What it is told on stdin: "close" closes
// each connection of the engine, "emit N" sends numbers to everybody, "quit".
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const [version, port = "0"] = process.argv.slice(2);
const options = JSON.parse(process.env.FIXTURE_OPTIONS || "{}");
const http = createServer((req, res) => {
  res.writeHead(404);
  res.end("not the engine\n");
});
let io;
if (version === "2") {
  const { default: Server } = await import("socket.io-2");
  io = new Server(http, { serveClient: false, ...options });
} else {
  const { Server } = await import("socket.io");
  io = new Server(http, { serveClient: false, ...options });
}

function onConnection(socket) {
  const { headers, query, auth } = socket.handshake;
  socket.emit("hello", {
    id: socket.id,
    auth: auth ?? query,
    query: query.who,
    header: headers["x-who"],
    cookie: headers.cookie,
    recovered: !!socket.recovered,
  });
  socket.on("echo", (...args) => {
    const ack = typeof args.at(-1) === "function" ? args.pop() : null;
    if (ack) ack(...args);
    else socket.emit("echo", ...args);
  });
  socket.on("ask", (event, value, ack) => socket.emit(event, value, (...answer) => ack(...answer)));
  socket.on("kick", (close) => socket.disconnect(close));
  socket.on("flood", (count) => {
    for (let i = 0; i < count; i++) socket.emit("n", i, Buffer.from([i & 255]));
  });
  socket.on("big", (size) => socket.emit("echo", "x".repeat(size)));
  let got = [];
  socket.on("count", (n, ack) => {
    got.push(n);
    process.stdout.write(`count ${n}\n`);
    ack?.(got.length);
  });
  socket.on("counted", (ack) => ack(got));
  socket.on("half", (n, ack) => n % 2 === 0 && ack(n));
}
io.of("/").on("connection", onConnection);
io.of("/chat").on("connection", onConnection);
io.of("/guarded")
  .use((socket, next) => {
    const token = (socket.handshake.auth ?? socket.handshake.query).token;
    if (token === "good") return next();
    const err = new Error("not you");
    err.data = { given: token ?? null };
    next(err);
  })
  .on("connection", onConnection);

let sent = 0;
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [word, arg] = line.split(" ");
    if (word === "close") for (const c of Object.values(io.engine.clients)) c.close();
    if (word === "emit") for (let i = 0; i < Number(arg); i++) io.emit("n", sent++);
    if (word === "quit") io.close(() => process.exit(0));
  })
  .on("close", () => process.exit(0));
http.listen(Number(port), "127.0.0.1", () => process.stdout.write(`listening ${http.address().port}\n`));
