// The official client as bench/clients.go wants it: it does what it is told, line by
// line, and answers each by "done".
const { createRequire } = require("module");
const { createInterface } = require("readline");
const { io } = createRequire(require.resolve("../../interop/node/package.json"))("socket.io-client");

const addr = process.env.BENCH_ADDR;
const sockets = [];
const text = process.env.BENCH_TEXT;

// As the Go client does by default.
function open() {
  return new Promise((resolve, reject) => {
    const socket = io(addr, { transports: ["websocket"], forceNew: true, perMessageDeflate: false });
    socket.once("connect", () => resolve(socket));
    socket.once("connect_error", reject);
  });
}

const words = {
  async cycle(n) {
    for (let i = 0; i < n; i++) {
      const socket = await open();
      const gone = new Promise((resolve) => socket.io.once("close", resolve));
      socket.disconnect();
      await gone;
    }
  },
  async open(n) {
    for (let i = 0; i < n; i++) sockets.push(await open());
  },
  async echo(n, inFlight) {
    const one = async (k) => {
      for (let i = 0; i < n; i++) {
        const id = i * inFlight + k;
        const out = await sockets[0].emitWithAck("echo", { id, name: "client 0", text });
        if (out.id !== id || out.text !== text) throw new Error(`${id} came back as ${JSON.stringify(out)}`);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, (_, k) => one(k)));
  },
};

console.log(0);
createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const [word, ...args] = line.split(" ");
    try {
      await words[word](...args.map(Number));
      console.log("done");
    } catch (err) {
      console.log(String(err));
    }
  })
  .on("close", () => process.exit(0));
