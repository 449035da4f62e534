// What is said of memory and time from the outside: `oppo plan`, --dry-run of train and sft, the refusal of what cannot fit, and a
// GPU that is not there.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { cudaAvailable } from "../../src/tensor/index.ts";
import { oppoIn } from "../support/oppo-in.ts";
import { type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";

let theatre: SmallTheatre;

before(async () => {
  theatre = await smallTheatre(2);
  theatre.freshModel(1);
});
after(() => theatre[Symbol.dispose]());

const oppo = (...args: string[]) => oppoIn(theatre.root, ...args);

const on = (model: string) => ["--model", model, "--data", "corpus/clips.jsonl", "--run", "run"];

test("plan prints a table and the settings, or one document", () => {
  const text = oppo("plan", "qwen2.5-omni-7b", "--gpu", "24");
  assert.equal(text.status, 0, text.stderr);
  assert.match(text.stdout, /lora, rank \d+ +yes[\s\S]*Time of a step[\s\S]*sampling/);
  const { schema, chosen, candidates } = JSON.parse(oppo("plan", "qwen2.5-omni-7b", "--gpu", "h200", "--json").stdout);
  assert.equal(schema, "oppo.plan/1");
  assert.ok(candidates.find(({ name }: { name: string }) => name === chosen).fits);
  assert.equal(oppo("plan", "qwen2.5-omni-7b", "--gpu", "8").status, 1, "nothing fits");
  assert.match(oppo("plan", "qwen2.5-omni-7b", "--gpu", "some").stderr, /expected gigabytes, or one of rtx-4090/);
});

test("a dry run of train and of sft says what a step takes and touches nothing", () => {
  for (const program of ["train", "sft"]) {
    const dry = oppo(program, "--dry-run", ...on("fresh-1"));
    assert.equal(dry.status, 0, dry.stderr);
    assert.match(dry.stdout, /the largest of \d clips: \d+ frames[\s\S]*weights[\s\S]*at most[\s\S]*It fits\./);
    const facts = JSON.parse(oppo(program, "--dry-run", ...on("fresh-1"), "--json").stdout);
    assert.equal(facts.schema, `oppo.${program}/1`);
    assert.ok(facts.peakBytes > facts.standingBytes && facts.fits === true);
    assert.ok(!existsSync(join(theatre.root, "run")));
  }
});

test("what cannot fit is refused before anything is loaded, with the settings that would", () => {
  const huge = ["--prompts-per-step", "100000"];
  const dry = oppo("train", "--dry-run", ...on("qwen2.5-omni-7b"), ...huge);
  assert.equal(dry.status, 1);
  assert.match(dry.stdout, /It does not fit/);
  const refused = oppo("train", ...on("fresh-1"), ...huge);
  assert.notEqual(refused.status, 0);
  assert.match(refused.stderr, /memory: expected at least .* free on cpu for a step, got .*ERR_MEMORY/);
  assert.ok(!existsSync(join(theatre.root, "run")));
});

test("a GPU that is not there is named with the devices that are", { skip: cudaAvailable() }, () => {
  const { stderr } = oppo("train", ...on("fresh-1"), "--device", "cuda:3");
  assert.match(stderr, /device: expected cpu, cuda or cuda:N, got cuda:3; this machine has cpu .*ERR_DEVICE/);
});
