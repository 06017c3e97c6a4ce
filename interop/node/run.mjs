// Runs the scenarios against one server and writes one line of JSON for each:
//
//	node run.mjs [--server node|EXECUTABLE] [--client official|FILE] [--bridge EXECUTABLE] [--only TEXT] [--jobs N] [--list]
//
// With a bridge (../wtbridge) they run over WebTransport too. Over JSONP they run with the
// client of Socket.IO 2, the only one that has it, in what lib/jsonp.mjs makes of a page.
//
// A line is {scenario, transport, ok, ms, error?, stderr?}; with --list it is
// {scenario, transport} and nothing runs. The last line is {passed, failed}.
import { parseArgs } from "node:util";
import { label, runOne, Servers, useWebTransport, waysOf } from "./lib/harness.mjs";
import { bridge } from "./lib/webtransport.mjs";
import { scenarios } from "./scenarios/index.mjs";

const { values } = parseArgs({
  options: {
    server: { type: "string", default: "node" },
    client: { type: "string", default: "official" }, // read by lib/client.mjs
    bridge: { type: "string", default: "" },
    only: { type: "string", default: "" },
    jobs: { type: "string", default: "6" },
    list: { type: "boolean", default: false },
  },
});
const write = (line) => process.stdout.write(JSON.stringify(line) + "\n");

if (values.bridge) {
  await bridge(values.bridge);
  useWebTransport();
}

const todo = [];
for (const scenario of scenarios) {
  for (const way of waysOf(scenario)) {
    // With a client of our own: not what is about another, or looks inside of it.
    if (values.client !== "official" && (way.old || scenario.inside)) continue;
    if (`${label(way)}/${scenario.name}`.includes(values.only)) todo.push({ scenario, way });
  }
}

if (values.list) {
  for (const { scenario, way } of todo) write({ scenario: scenario.name, transport: label(way) });
  process.exit(0);
}

// A rejection that nobody waits for is a mistake in a scenario.
process.on("unhandledRejection", (err) => {
  write({ scenario: "unhandled rejection", transport: "", ok: false, ms: 0, error: err?.stack ?? String(err) });
  process.exitCode = 1;
});

const servers = new Servers(values.server);
// Whatever way this process ends, its servers end: their standard input does.
const counts = { passed: 0, failed: 0 };

async function work(queue) {
  for (let job; (job = queue.shift()); ) {
    const result = await runOne(servers, job.scenario, job.way);
    counts[result.ok ? "passed" : "failed"]++;
    write(result);
  }
}

// Those that load the machine run alone, so that they do not make the clocks
// of others late.
const heavy = todo.filter(({ scenario }) => scenario.heavy);
const light = todo.filter(({ scenario }) => !scenario.heavy);
await Promise.all(Array.from({ length: Number(values.jobs) }, () => work(light)));
await work(heavy);
await servers.close();
write(counts);
process.exit(counts.failed || process.exitCode ? 1 : 0);
