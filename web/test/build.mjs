// Builds the modules that tests import, not minified, into a fresh folder that goes
// with the process.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const web = fileURLToPath(new URL("..", import.meta.url));
export const folder = mkdtempSync(join(tmpdir(), "sockeye-client-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
execFileSync("go", ["run", "./build", "-module", folder], { cwd: web, stdio: "inherit" });

/** Imports client.mjs or parser.mjs as built from the sources. */
export const load = (name) => import(pathToFileURL(join(folder, name)).href);
