// Official clients, one for each url. What they receive they write down; they
// answer "ask" with who they are, and "bytes" with what they got and who they are.
const say = (v) => process.stdout.write(JSON.stringify(v) + "\n");

export function clients(io) {
  process.argv.slice(2).forEach((url, c) => {
    const socket = io(url, { forceNew: true, reconnection: false, auth: { who: c } });
    socket.on("connect", () => say({ c, on: "connect", id: socket.id }));
    socket.on("disconnect", () => say({ c, on: "disconnect" }));
    socket.on("ask", (v, cb) => cb(`${v} ${c}`));
    socket.on("bytes", (v, cb) => cb(Buffer.from([...v, c])));
    socket.onAny((ev, ...args) => {
      if (ev === "ask" || ev === "bytes") return;
      say({ c, on: "event", ev, args: args.map((a) => (a && a.b ? [...a.b] : a)) });
    });
  });
  process.stdin.on("end", () => process.exit(0)).resume();
}
