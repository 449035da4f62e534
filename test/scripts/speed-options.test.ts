// Every speed script reads its options in one way, which has --help.
import assert from "node:assert/strict";
import { test } from "node:test";
import { helpText, readOptions } from "../../speed/support/options.ts";
import { readText } from "../support/source-tree.ts";

const options = {
  rounds: { help: "measurements", value: "count", default: "5" },
  python: { help: "the Python to measure beside", value: "path" },
  "no-peer": { help: "our own figures only" },
  child: { help: "" },
} as const;

test("texts have defaults, switches are off; what is unknown is refused", () => {
  const plain = readOptions("bench:x", "X.", options, []);
  assert.deepEqual([plain.rounds, plain.python, plain["no-peer"], plain.json], ["5", undefined, false, false]);
  const given = readOptions("bench:x", "X.", options, ["--rounds", "7", "--no-peer", "--json"]);
  assert.deepEqual([given.rounds, given["no-peer"], given.json], ["7", true, true]);
  assert.throws(() => readOptions("bench:x", "X.", options, ["--round", "7"]), /Unknown option '--round'/);
});

test("help names what a person may set, and nothing else", () => {
  assert.equal(
    helpText("bench:x", "What it measures.", options),
    [
      "Usage: npm run bench:x -- [options]\n",
      "What it measures.\n",
      "  --rounds <count>  measurements (default: 5)",
      "  --python <path>   the Python to measure beside",
      "  --no-peer         our own figures only",
    ].join("\n"),
  );
});

test("every npm script for speed has it", () => {
  const { scripts } = JSON.parse(readText("package.json")) as { scripts: Record<string, string> };
  const benches = Object.entries(scripts).filter(([name]) => name === "gpu" || name.startsWith("bench:"));
  assert.ok(benches.length >= 7);
  for (const [name, command] of benches) {
    const file = /build\/js\/(speed\/[\w-]+)\.js/.exec(command)![1]!;
    assert.match(readText(`${file}.ts`), new RegExp(`readOptions\\(\\s*"${name}"`), name);
  }
});
