// Clients that send and write down what they see, for ../faults. FAULTS has the
// settings as JSON. One line of JSON per event. Lines on stdin: "stop" ends the
// sending, after one last event each, and another with each more "stop"; the end
// of stdin ends it all.
import { createInterface } from "node:readline";
import { WebSocket } from "ws";

const { urls, clients, transports, ours, retries, every, timeout = 1000 } = JSON.parse(process.env.FAULTS);
globalThis.WebSocket ??= WebSocket; // Node 22 has one
const { io } = await import(ours ? "../../web/dist/index.js" : "socket.io-client");

const say = (fields) => process.stdout.write(JSON.stringify(fields) + "\n");
const stops = [];

for (let c = 0; c < clients; c++) {
  const socket = io(urls[c % urls.length], {
    transports,
    forceNew: true,
    reconnectionDelay: 10,
    reconnectionDelayMax: 50,
    timeout,
    auth: { client: c },
    ...(retries ? { retries: 10_000, ackTimeout: 400 } : {}),
  });
  socket.on("connect", () => say({ c, on: "connected", recovered: socket.recovered === true }));
  socket.on("disconnect", () => say({ c, on: "disconnected" }));
  socket.on("m", (seq) => say({ c, on: "received", seq }));
  socket.on("probe", (answer) => answer(c));
  let n = 0;
  let owed = 0;
  let timer = setInterval(send, every);
  function send() {
    say({ c, on: "sent", seq: ++n });
    if (!retries) return void socket.emit("up", n);
    owed++;
    socket.emit("up", n, (err) => {
      if (err) say({ c, on: "gave up" });
      if (--owed === 0 && timer === null) say({ c, on: "drained" });
    });
  }
  stops.push(() => {
    clearInterval(timer);
    timer = null;
    send();
    say({ c, on: "stopped" });
  });
}

createInterface({ input: process.stdin })
  .on("line", () => stops.forEach((stop) => stop()))
  .on("close", () => process.exit(0));
