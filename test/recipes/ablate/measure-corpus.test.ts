// The sceptic's conditions on a corpus that nobody knows: an observer from its cues, and claims sorted by it.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Measures } from "../../../src/bench/measure.ts";
import { buildTheatreTokenizer } from "../../../src/data/theatre/tokenizer.ts";
import { initTiny } from "../../../src/models/qwen-omni/init.ts";
import { type CorpusTask, measureCorpus } from "../../../src/recipes/ablate/corpus/measure-corpus.ts";
import { createProgress } from "../../../src/run/progress.ts";
import { writePlainCorpus } from "../../support/plain-corpus.ts";
import { interruptAt } from "../../support/training-runs.ts";
import { verySmall } from "../../support/very-small.ts";

let root: string;
let task: CorpusTask;

before(async () => {
  root = mkdtempSync(join(tmpdir(), "oppo-conditions-"));
  initTiny(join(root, "model"), buildTheatreTokenizer(), 3, verySmall);
  const all = { observer: { clips: 64, minClips: 6 }, clips: { workers: 1 } };
  task = {
    ...{ kind: "corpus", model: join(root, "model"), data: await writePlainCorpus(root, "learnt", 64) },
    ...{ observers: join(root, "observers"), seed: 1, measured: null },
    shared: { ...{ training: [], train: all, all, build: {} }, measure: { maxNewTokens: 4 } },
  };
});
after(() => rmSync(root, { recursive: true, force: true }));

test("what can be read falls with the dose, and a swapped-in clip brings its own cues", {
  timeout: 900_000,
}, async () => {
  const said: string[] = [];
  using progress = createProgress({ write: (text: string) => said.push(text) });
  const around = { progress, interrupt: interruptAt(null), home: root };
  const notes = await measureCorpus(task, around);
  assert.match(notes.join("\n"), /observer, video: learns 2 of \d cues/);
  assert.equal(readdirSync(task.observers).length, 2);
  const file = join(root, "measured/own.json");
  const conditions = [
    { modality: "video", kind: "grey", dose: 0 },
    { modality: "video", kind: "grey", dose: 1 },
    { modality: "video", kind: "swap", dose: 1 },
  ] as const;
  const samples = await writePlainCorpus(root, "held", 10, 7);
  await measureCorpus({ ...task, measured: { samples, conditions, file } }, around);
  assert.equal(readdirSync(task.observers).length, 2, "the observer is the one that was made");
  assert.equal(existsSync(join(task.observers, "clips")), false);
  const { measures } = JSON.parse(readFileSync(file, "utf8")) as { measures: Measures };
  const mean = (name: string) => {
    const [part] = measures[name]!.parts;
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    assert.equal(part!.sums.length, 10);
    return sum(part!.sums) / sum(part!.counts);
  };
  assert.ok(mean("video grey:0/readable") > 0.8, `${mean("video grey:0/readable")}`);
  assert.ok(mean("video grey:1/readable") < 0.5, `${mean("video grey:1/readable")}`);
  assert.ok(mean("video swap:1/readable") > 0.8, "a partner's cues can be read where its picture is shown");
  // Four tokens of a fresh model state nothing.
  assert.equal(mean("video grey:0/claims"), 0);
  assert.ok(mean("video grey:0/missed") > 0.8);
});
