// Runs the compiled tests: Node 20's `node --test` expands no patterns, so the files are listed here.
//
//   node scripts/test.mjs                  every test
//   node scripts/test.mjs rl run/config    only files whose path contains one of these

import { execFileSync, spawn } from "node:child_process";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { listFiles } from "./setup/typescript.mjs";

// Two at a time: a test that loads the native addon needs about 200 MB.
const CONCURRENCY = 2;
/** A file that takes longer hangs: it is ended and named, and the others go on. */
const MINUTES_PER_FILE = 10;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, "build/js/test");
const filters = process.argv.slice(2);
const files = listFiles(folder, ".test.js").filter(
  (path) => filters.length === 0 || filters.some((filter) => relative(folder, path).includes(filter)),
);
if (files.length === 0) {
  console.error(
    `test: no test file${filters.length > 0 ? ` whose path contains ${filters.join(" or ")}` : ""} in build/js/test. Run npm run setup first.`,
  );
  process.exit(1);
}
const hasTimeout = execFileSync(process.execPath, ["--help"], { encoding: "utf8" }).includes("--test-timeout");
const child = spawn(
  process.execPath,
  [
    "--test",
    "--test-reporter=spec",
    `--test-concurrency=${CONCURRENCY}`,
    ...(hasTimeout ? [`--test-timeout=${MINUTES_PER_FILE * 60_000}`] : []),
    ...files,
  ],
  { cwd: root, stdio: "inherit" },
);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => child.kill(signal));
child.on("close", (code) => {
  process.exitCode = code ?? 1;
});
