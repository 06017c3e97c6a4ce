// The official server with recovery, the control of ../recovery_test.go: each
// line on stdin is a number to emit, or "count".
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Server } from "socket.io";

const httpServer = createServer();
const io = new Server(httpServer, {
  pingInterval: 300,
  pingTimeout: 300,
  connectionStateRecovery: { maxDisconnectionDuration: 120000 },
});
io.on("connection", (socket) => socket.join("room"));
httpServer.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: httpServer.address().port })));
createInterface({ input: process.stdin })
  .on("line", (line) => {
    const [what, seq] = line.split(" ");
    if (what === "count") console.log(JSON.stringify({ count: io.of("/").sockets.size }));
    else if (what === "probe") io.emit("probe", Number(seq));
    else io.to("room").emit("m", Number(seq));
  })
  .on("close", () => process.exit(0));
