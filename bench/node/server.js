// The official server with its defaults, answering what bench/measured/servers.go answers,
// alone or on the adapter that BENCH_ADAPTER names.
const http = require("http").createServer();
const io = new (require("socket.io").Server)(http);
io.on("connection", (s) => {
  s.on("echo", (v, ack) => ack(v));
  s.on("bin", (v, ack) => ack(v));
  s.on("join", (room, ack) => { s.join(room); ack(true); });
  s.on("cast", (m) => io.to(m.room).emit("cast", m));
});

const { once } = require("events");

async function redis(url) {
  const client = new (require("ioredis").Redis)(url);
  await once(client, "ready");
  return client;
}

const adapters = {
  memory: async () => undefined,
  redis: async (url) => require("@socket.io/redis-adapter").createAdapter(await redis(url), await redis(url)),
  "redis-sharded": async (url) => require("@socket.io/redis-adapter").createShardedAdapter(await redis(url), await redis(url)),
  "redis-streams": async (url) => require("@socket.io/redis-streams-adapter").createAdapter(await redis(url)),
  postgres: async (url) =>
    require("@socket.io/postgres-adapter").createAdapter(new (require("pg").Pool)({ connectionString: url })),
};
adapters[process.env.BENCH_ADAPTER || "memory"](process.env.BENCH_BROKER).then((adapter) => {
  if (adapter) io.adapter(adapter);
  http.listen(0, "127.0.0.1", () => console.log(http.address().port));
});
