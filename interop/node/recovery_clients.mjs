// Official clients that write down what they see, for ../recovery_test.go.
// Arguments: url, number of clients, transports separated by commas. One line
// of JSON per event; a line on stdin ends it.
import { io } from "socket.io-client";

const [url, count, transports] = process.argv.slice(2);
const say = (fields) => process.stdout.write(JSON.stringify(fields) + "\n");

for (let c = 0; c < Number(count); c++) {
  const socket = io(url, {
    transports: transports.split(","),
    forceNew: true,
    reconnectionDelay: 10,
    reconnectionDelayMax: 40,
    timeout: 2000,
  });
  let pid;
  socket.on("connect", () => {
    say({ c, on: "connect", asked: pid !== undefined, recovered: socket.recovered === true, id: socket.id });
    pid = socket._pid;
  });
  socket.on("disconnect", (reason) => say({ c, on: "disconnect", reason }));
  socket.on("m", (seq) => say({ c, on: "m", seq }));
  socket.on("probe", (seq, id) => say({ c, on: "probe", seq }));
}

process.stdin.once("data", () => process.exit(0));
process.stdin.once("end", () => process.exit(0));
