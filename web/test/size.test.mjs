// The sizes of what an application gets: a program that imports an entry point,
// bundled and minified, and compressed as a server would. Minifiers differ by up to
// 4 %: esbuild is the one of Vite 7, terser that of webpack; oxc, that of Vite 8, comes
// within 1 % of terser. They are given what esbuild has bundled.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { minify } from "terser";

const web = fileURLToPath(new URL("..", import.meta.url));
const bounds = {
  // program: brotli 11 by esbuild, terser; gzip 9 by esbuild
  'import { io } from "sockeye-client/core"; io()': [4_305, 4_135, 4_670],
  'import { io } from "sockeye-client"; io()': [5_670, 5_470, 6_165],
  'import { io } from "sockeye-client"; import parser from "sockeye-client/msgpack"; io({ parser })': [6_665, 6_435, 7_240],
  'import { useSocket, useEvent, useEmit, useConnectionState } from "sockeye-client/react"; console.log(useSocket, useEvent, useEmit, useConnectionState)': [1_000, 1_000, 1_000], // without React and the client
  'import * as vue from "sockeye-client/vue"; console.log(vue)': [1_000, 1_000, 1_000], // the same
  'import * as svelte from "sockeye-client/svelte"; console.log(svelte)': [1_000, 1_000, 1_000], // the same
  'import { io } from "socket.io-client"; io()': [20_000, 20_000, 20_000], // the official one, to compare
};

for (const [program, limits] of Object.entries(bounds)) {
  test(program, async (t) => {
    const file = execFileSync("go", ["run", "./build", "-app", program], { cwd: web, encoding: "utf8" });
    const brotli = (code) => brotliCompressSync(code, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
    const terser = (await minify(file, { module: true, ecma: 2020 })).code;
    const sizes = [brotli(file), brotli(terser), gzipSync(file, { level: 9 }).length];
    t.diagnostic(`${file.length} bytes; brotli by esbuild, terser, and gzip: ${sizes.join(", ")}`);
    sizes.forEach((size, i) => assert.ok(size <= limits[i], `${size} bytes, bound ${limits[i]}`));
  });
}
