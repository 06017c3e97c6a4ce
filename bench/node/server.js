// The official server with its defaults, answering what bench/servers.go answers.
const http = require("http").createServer();
const io = new (require("socket.io").Server)(http);
io.on("connection", (s) => {
  s.on("echo", (v, ack) => ack(v));
  s.on("bin", (v, ack) => ack(v));
  s.on("join", (room, ack) => { s.join(room); ack(true); });
  s.on("cast", (m) => io.to(m.room).emit("cast", m));
});
http.listen(0, "127.0.0.1", () => console.log(http.address().port));
