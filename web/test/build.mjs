// Builds the codec, which no file of dist exports, into a fresh folder that goes with
// the process.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const web = fileURLToPath(new URL("..", import.meta.url));
export const folder = mkdtempSync(join(tmpdir(), "sockeye-client-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** The codec as built from the sources. */
export async function loadParser() {
  const file = join(folder, "parser.mjs");
  execFileSync("go", ["run", "./build", "-parser", file], { cwd: web, stdio: "inherit" });
  return import(pathToFileURL(file).href);
}
