// The size of what a browser loads, compressed as a server would.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

// The same file of socket.io-client 4.8.4, at the same settings.
const official = { raw: 40_759, brotli: 11_716 };
const bound = 7_400;

test(`socket.io.esm.min.js stays under ${bound} bytes`, (t) => {
  const file = readFileSync(new URL("../dist/socket.io.esm.min.js", import.meta.url));
  const brotli = brotliCompressSync(file, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
  const gzip = gzipSync(file, { level: 9 }).length;
  const share = Math.round((brotli / official.brotli) * 100);
  t.diagnostic(`${file.length} bytes, gzip ${gzip}, brotli ${brotli}: ${share} % of the official ${official.brotli}`);
  assert.ok(brotli <= bound, `brotli ${brotli}, bound ${bound}`);
});
