// What package.json promises is there, and loads in Node as it says.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { promisify } from "node:util";
import { Peer, peers } from "./peers.mjs";

const web = fileURLToPath(new URL("..", import.meta.url));
const manifest = JSON.parse(readFileSync(web + "package.json", "utf8"));

function files(node) {
  return typeof node === "string" ? [node] : Object.values(node).flatMap(files);
}

for (const file of new Set([manifest.main, manifest.module, manifest.browser, manifest.types, manifest.unpkg, ...files(manifest.exports)])) {
  if (!file.includes("*")) test(file, () => assert.ok(existsSync(web + file)));
}

for (const [how, args] of Object.entries({
  import: ["--input-type=module", "-e", 'import { io } from "sockeye-client"; import parser from "sockeye-client/msgpack"; run(io, parser);'],
  require: ["--input-type=commonjs", "-e", 'const { io } = require("sockeye-client"); const { parser } = require("sockeye-client/msgpack"); run(io, parser);'],
})) {
  test(`${how} in Node, with cookies and headers`, async () => {
    const peer = await Peer.start([...peers["the official server"](), JSON.stringify({ cookie: true })]);
    try {
      const program = `
        function run(io, parser) {
          if (typeof parser.Encoder !== "function") throw new Error("no parser");
          const s = io("${peer.url}", { transports: ["polling", "websocket"], withCredentials: true, extraHeaders: { "x-who": "me" } });
          s.on("connect_error", (err) => console.log(err.message, err.description));
          s.io.engine.once("upgrade", async () => {
            console.log(JSON.stringify(await s.timeout(5000).emitWithAck("what are my headers")));
            const bytes = await s.emitWithAck("echo", Buffer.from("abc"));
            console.log(Buffer.isBuffer(bytes), String(bytes), s.io.engine.transport.name);
            s.disconnect();
          });
        }`;
      const { stdout: out } = await promisify(execFile)(process.execPath, [...args.slice(0, -1), args.at(-1) + program], { cwd: web, encoding: "utf8", timeout: 20_000 });
      const [headers, bytes] = out.trim().split("\n");
      const { who, cookie } = JSON.parse(headers);
      assert.equal(who, "me");
      assert.match(cookie, /^io=[\w-]{20}$/); // set by the first answer, sent with the upgrade
      assert.equal(bytes, "true abc websocket");
    } finally {
      await peer.close();
    }
  });
}
