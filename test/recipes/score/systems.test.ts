// Names of systems on a command line: short where that tells them apart, never one name for two.
import assert from "node:assert/strict";
import { test } from "node:test";
import { namedSystems } from "../../../src/recipes/score/systems.ts";

const names = (...texts: string[]) => namedSystems(texts).map(({ name, path }) => `${name} <- ${path}`);

test("a bare path is named by its last part, or as a whole where two would be the same", () => {
  assert.deepEqual(names("runs/ours.jsonl", "runs/b/"), ["ours <- runs/ours.jsonl", "b <- runs/b/"]);
  assert.deepEqual(names("a/pred.jsonl", "b/pred.npz", "c/other.csv"), [
    "a/pred.jsonl <- a/pred.jsonl",
    "b/pred.npz <- b/pred.npz",
    "other <- c/other.csv",
  ]);
  assert.deepEqual(names("ours=a/p.jsonl", "./x=y.csv"), ["ours <- a/p.jsonl", "x=y <- ./x=y.csv"]);
});

test("one name for two systems, and one path twice, are refused", () => {
  const refused = (message: RegExp, ...texts: string[]) =>
    assert.throws(() => namedSystems(texts), { code: "ERR_SCORE_SYSTEMS", message });
  refused(/got "a" for x\.jsonl and y\.jsonl\. Write name=path/, "a=x.jsonl", "a=y.jsonl");
  refused(/got \.\/x\.jsonl twice/, "x.jsonl", "b=./x.jsonl");
});
