// The sizes of what an application gets: a program that imports an entry point,
// bundled and minified, and compressed as a server would.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const web = fileURLToPath(new URL("..", import.meta.url));
const bounds = {
  // program: [brotli 11, gzip 9]
  'import { io } from "sockeye-client/core"; io()': [5_400, 5_900],
  'import { io } from "sockeye-client"; io()': [6_500, 7_100],
  'import { useSocket, useEvent, useEmit, useConnectionState } from "sockeye-client/react"; console.log(useSocket, useEvent, useEmit, useConnectionState)': [1_000, 1_000], // without React and the client
  'import { io } from "sockeye-client"; import parser from "sockeye-client/msgpack"; io({ parser })': [7_750, 8_500],
};

for (const [program, [brotliBound, gzipBound]] of Object.entries(bounds)) {
  test(program, (t) => {
    const file = execFileSync("go", ["run", "./build", "-app", program], { cwd: web });
    const brotli = brotliCompressSync(file, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
    const gzip = gzipSync(file, { level: 9 }).length;
    t.diagnostic(`${file.length} bytes, gzip ${gzip}, brotli ${brotli}`);
    assert.ok(brotli <= brotliBound, `brotli ${brotli}, bound ${brotliBound}`);
    assert.ok(gzip <= gzipBound, `gzip ${gzip}, bound ${gzipBound}`);
  });
}
