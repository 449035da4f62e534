#!/usr/bin/env node
// What `npx oppo` and an installed `oppo` start. It is there before anything is compiled, because npm links a program
// once and keeps a link that led nowhere; and it says what to do in a clone that is not set up.
import { existsSync } from "node:fs";

const main = new URL("../build/js/src/cli/main.js", import.meta.url);
if (existsSync(main)) await import(main.href);
else {
  console.error("oppo: this clone is not set up yet. Run: npm run setup");
  process.exitCode = 1;
}
