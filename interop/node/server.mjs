// The fixture on the official server: the control that every expectation of
// the scenarios is held against. Its words are written down in ../README.md
// and ../goserver says the same ones with ours.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { Server } from "socket.io";
import msgpack from "socket.io-msgpack-parser";

const options = JSON.parse(process.env.FIXTURE_OPTIONS || "{}");
const report = (fields) => process.stdout.write(JSON.stringify(fields) + "\n");

const { port = 0, parser, ...engine } = options;
const httpServer = createServer((req, res) => {
  res.writeHead(404);
  res.end("not the engine\n");
});
const io = new Server(httpServer, {
  ...engine,
  ...(parser === "msgpack" ? { parser: msgpack } : {}),
  serveClient: false,
  // ?forbid=plain and ?forbid=worded: refused by the hook, with the code that
  // the protocol has for it.
  allowRequest(req, answer) {
    const forbid = new URL(req.url, "http://x").searchParams.get("forbid");
    if (forbid === "plain") answer(null, false);
    else if (forbid === "worded") answer("not today", false);
    else answer(null, true);
  },
});

// ?refuse=<status>: refused with a status and a body of the application's own.
io.engine.use((req, res, next) => {
  const status = Number(req._query.refuse);
  if (!status) return next();
  const body = `refused with ${status}`;
  if (req.headers.upgrade) {
    // The official server has no way to answer an upgrade, so write it here.
    req.socket.end(
      `HTTP/1.1 ${status} Refused\r\nContent-Type: text/plain\r\n` +
        `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
    return;
  }
  res.writeHead(status, { "Content-Type": "text/plain" });
  res.end(body);
});

io.engine.on("connection_error", (e) => report({ report: "connection_error", code: e.code, message: e.message }));

const others = (socket) => [...socket.rooms].filter((room) => room !== socket.id).sort();

function target(socket, { from = "socket", to = [], except = [], flags = [] }) {
  let op = from === "socket" ? socket : from === "server" ? io : socket.nsp;
  for (const room of to) op = op.to(room);
  if (except.length) op = op.except(except);
  if (flags.includes("broadcast")) op = op.broadcast;
  if (flags.includes("volatile")) op = op.volatile;
  if (flags.includes("local")) op = op.local;
  return op;
}

function onConnection(socket) {
  const nsp = socket.nsp.name;
  const id = socket.id;
  report({ report: "connection", nsp, id });
  socket.on("disconnecting", (reason) => report({ report: "disconnecting", nsp, id, reason, rooms: others(socket) }));
  socket.on("disconnect", (reason) => report({ report: "disconnect", nsp, id, reason, rooms: others(socket) }));

  socket.use((packet, next) => {
    if (packet[0] === "forbidden") return next(new Error("not allowed: " + packet[1]));
    if (packet[0] === "rewrite") packet[1] = { seen: packet[1] };
    next();
  });
  socket.on("error", (err) => {
    report({ report: "error", nsp, id, message: err.message });
    socket.emit("error", { message: err.message });
  });

  socket.on("echo", (...args) => {
    const ack = typeof args.at(-1) === "function" ? args.pop() : null;
    if (ack) ack(...args);
    else socket.emit("echo", ...args);
  });
  socket.on("rewrite", (value, ack) => ack(value));
  socket.on("forbidden", (value, ack) => ack("should not be reached"));
  const held = [];
  socket.on("hold", (value, ack) => held.push(() => ack(value)));
  socket.on("release", (ack) => {
    ack(held.length);
    for (const answer of held.splice(0)) answer();
  });
  socket.on("ask", ({ event, args, timeout }, ack) => {
    socket.timeout(timeout).emit(event, ...args, (err, ...answer) => {
      ack(err ? { timeout: true } : { answer });
    });
  });
  socket.on("ask all", async ({ timeout, event, args, ...rest }, ack) => {
    target(socket, rest)
      .timeout(timeout)
      .emit(event, ...args, (err, responses) => ack({ responses, missing: !!err }));
  });

  socket.on("join", (rooms, ack) => {
    socket.join(rooms);
    ack(others(socket));
  });
  socket.on("leave", (room, ack) => {
    socket.leave(room);
    ack(others(socket));
  });
  socket.on("send", ({ event, args, ...rest }, ack) => {
    target(socket, rest).emit(event, ...args);
    ack?.();
  });
  socket.on("fetch", async ({ rooms }, ack) => {
    const found = await target(socket, { from: "namespace", to: rooms }).fetchSockets();
    ack(found.map((s) => s.id).sort());
  });
  socket.on("members join", ({ rooms, into }, ack) => {
    target(socket, { from: "namespace", to: rooms }).socketsJoin(into);
    ack();
  });
  socket.on("members leave", ({ rooms, from }, ack) => {
    target(socket, { from: "namespace", to: rooms }).socketsLeave(from);
    ack();
  });
  socket.on("members disconnect", ({ rooms, close }) => {
    target(socket, { from: "namespace", to: rooms }).disconnectSockets(close);
  });
  socket.on("kick", ({ close }) => socket.disconnect(close));

  socket.on("volatile then plain", () => {
    socket.volatile.emit("volatile", 1);
    socket.emit("plain", 2);
  });
  socket.on("volatile", (value) => socket.volatile.emit("volatile", value));

  // Numbered messages, in batches so that other work gets its turn.
  socket.on("flood", ({ event, count, batch = 10, pad = 0 }, ack) => {
    const filler = "x".repeat(pad);
    let sent = 0;
    (function some() {
      for (let i = 0; i < batch && sent < count; i++) socket.emit(event, sent++, filler);
      if (sent < count) setImmediate(some);
      else ack?.(sent);
    })();
  });
  let received = 0;
  let ordered = true;
  socket.on("count", (n) => {
    if (n !== received) ordered = false;
    received++;
  });
  socket.on("counted", (ack) => ack({ received, ordered }));

  socket.on("tap", (ack) => {
    const seen = [];
    socket.onAny((event, ...args) => {
      if (typeof args.at(-1) === "function") args.pop();
      seen.push(["in", event, args]);
    });
    socket.onAnyOutgoing((event, ...args) => {
      seen.push(["out", event, args]);
    });
    socket.on("tapped", (answer) => answer(seen));
    ack();
  });

  const { address, headers, query, secure, xdomain, auth } = socket.handshake;
  socket.emit("hello", {
    id,
    nsp,
    auth,
    user: socket.data.user,
    query: query.who,
    header: headers["x-who"],
    local: /^(::ffff:)?127\.0\.0\.1$|^::1$/.test(address),
    secure,
    xdomain,
  });
}

for (const name of ["/", "/plain", /^\/dynamic-\d+$/]) {
  io.of(name).on("connection", onConnection);
}
io.of("/guarded")
  .use((socket, next) => {
    const { token } = socket.handshake.auth;
    if (token === "good") {
      socket.data.user = "ada";
      return next();
    }
    const err = new Error(token ? "Invalid token" : "No token provided");
    if (token !== "silent") err.data = { code: 401, given: token ?? null };
    next(err);
  })
  .on("connection", onConnection);

createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const { n, cmd } = JSON.parse(line);
    if (cmd === "shutdown") {
      await io.close();
      report({ report: "done", n });
      process.exit(0);
    }
  })
  .on("close", () => process.exit(0));

httpServer.listen(port, "127.0.0.1", () => {
  process.stdout.write(`listening ${httpServer.address().port}\n`);
});
