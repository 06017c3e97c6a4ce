// Runs every *.test.mjs beside it with Node's test runner.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const files = readdirSync(here).filter((name) => name.endsWith(".test.mjs")).map((name) => here + name);
const tests = spawn(process.execPath, ["--test", ...files], { stdio: "inherit" });
tests.on("exit", (code) => process.exit(code ?? 1));
