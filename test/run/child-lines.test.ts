// Lines of a real child: whole, from both streams, also the last one without an end; and the few that are kept of them.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { type ChildStream, type FollowOptions, followLines } from "../../src/run/child-lines.ts";

async function follow(script: string, options: Omit<FollowOptions, "onLine">) {
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "pipe"] });
  const lines: [string, ChildStream][] = [];
  const tail = followLines(child, { ...options, onLine: (line, stream) => lines.push([line, stream]) });
  await once(child, "close");
  return { lines, tail };
}

test("lines come whole, whatever the pieces they are written in, and empty ones do not", async () => {
  const script = `process.stdout.write("one\\ntw"); setTimeout(() => process.stdout.write("o\\n\\n  \\nthree"), 50);`;
  const { lines, tail } = await follow(script, { tailLines: 2 });
  assert.deepEqual(lines, [
    ["one", "out"],
    ["two", "out"],
    ["three", "out"],
  ]);
  assert.deepEqual(tail, ["two", "three"]);
});

test("what tells nothing is passed on and not kept", async () => {
  const script = `console.error("TypeError: no\\n    at file.js:1\\n\\nNode.js v20");`;
  const isTelling = (line: string) => !/^\s+at |^Node\.js v/.test(line);
  const { lines, tail } = await follow(script, { tailLines: 5, isTelling });
  assert.equal(lines.length, 3);
  assert.ok(lines.every(([, stream]) => stream === "error"));
  assert.deepEqual(tail, ["TypeError: no"]);
});
