// Fails if dist/types is not what the sources declare: part of npm run check.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const web = fileURLToPath(new URL("..", import.meta.url));
const tsc = createRequire(import.meta.url).resolve("typescript/lib/tsc.js");

function declarations(folder) {
  const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".d.ts"));
  return new Map(names.sort().map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

const fresh = mkdtempSync(join(tmpdir(), "sockeye-types-"));
try {
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.types.json", "--outDir", fresh], { cwd: web, stdio: "inherit" });
  const want = declarations(fresh);
  const have = declarations(join(web, "dist/types"));
  const stale = [...new Set([...want.keys(), ...have.keys()])].filter((name) => want.get(name) !== have.get(name));
  for (const name of stale) console.log(`dist/types/${name} is stale: run npm run build`);
  if (stale.length || !want.size) process.exitCode = 1;
} finally {
  rmSync(fresh, { recursive: true });
}
