// Upgrades while messages pass in both directions.
import assert from "node:assert/strict";
import { event } from "../lib/wait.mjs";

const sockets = 100;
const atOnce = 10;
const perRound = 20;

// talk sends numbered messages both ways, round after round, until the upgrade
// is behind it, and some more. It counts by transport what passes.
async function talk(t, crossed) {
  const s = t.socket();
  const over = () => s.io.engine.transport.name;
  let greeted = 0; // with the first message, which comes before the upgrade or amid it
  let received = 0;
  let sent = 0;
  s.on("hello", () => {
    greeted++;
    crossed.received[over()]++;
  });
  await event(s, "connect");
  s.on("n", (n) => {
    assert.equal(n, received, "the server's messages in order");
    received++;
    crossed.received[over()]++;
  });
  for (let after = 0; after < 3; ) {
    if (over() === t.last) after++;
    received = 0;
    const flooded = s.timeout(20_000).emitWithAck("flood", { event: "n", count: perRound });
    for (let i = 0; i < perRound; i++) {
      crossed.sent[over()]++;
      s.emit("count", sent++);
    }
    assert.equal(await flooded, perRound);
    assert.equal(received, perRound, "every message before the ack that follows it");
  }
  assert.deepEqual(await s.timeout(20_000).emitWithAck("counted"), { received: sent, ordered: true });
  assert.equal(greeted, 1);
  s.disconnect();
}

export default [
  {
    name: "100 upgrades under traffic: nothing lost, nothing out of order",
    over: ["upgrade"],
    heavy: true,
    timeout: 90_000,
    async run(t) {
      const crossed = { received: { polling: 0, [t.last]: 0 }, sent: { polling: 0, [t.last]: 0 } };
      let failed;
      process.once("uncaughtException", (err) => (failed = err)); // of a listener
      for (let done = 0; done < sockets; done += atOnce) {
        await Promise.all(Array.from({ length: atOnce }, () => talk(t, crossed)));
        if (failed) throw failed;
      }
      process.removeAllListeners("uncaughtException");
      // Without messages on both transports this would have shown nothing.
      for (const way of ["received", "sent"]) {
        for (const transport of ["polling", t.last]) {
          assert.ok(crossed[way][transport] >= sockets / 4, `${way} over ${transport}: ${JSON.stringify(crossed)}`);
        }
      }
    },
  },
];
