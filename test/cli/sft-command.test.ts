// `oppo sft` from the outside, and that the question it taught is what `infer`, `train` and `mep run` ask afterwards.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { oppoIn } from "../support/oppo-in.ts";
import { type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";

const question = "how does the person feel?";

let theatre: SmallTheatre;

before(async () => {
  theatre = await smallTheatre(4);
  theatre.freshModel(1);
});
after(() => theatre[Symbol.dispose]());

const oppo = (...args: string[]) => oppoIn(theatre.root, ...args);

const cold = [
  "sft",
  "--preset",
  "sft-try",
  "--model",
  "fresh-1",
  "--data",
  "corpus/clips.jsonl",
  "--question",
  question,
];

test("teaches, says what it did, and every later program asks what was taught unless it is told otherwise", () => {
  const first = oppo(...cold, "--eval-samples", "1", "--run", "cold");
  assert.equal(first.status, 0, first.stderr);
  assert.match(
    first.stdout,
    /^The model: cold\/model\nThe curves: cold\/metrics\.jsonl\nHeld-out loss: \d+\.\d+ on 1; answers: cold\/answers\.jsonl\n$/,
  );
  assert.match(first.stderr, /question: how does the person feel\? \(--question\)/);
  assert.match(first.stderr, /best\/ is that of step \d+, of the best loss/);
  assert.ok(existsSync(join(theatre.root, "cold/best/oppo_prompt.json")));
  assert.match(oppo("report", "cold").stdout, /^The report: cold\/report\.html/);
  assert.match(readFileSync(join(theatre.root, "cold/report.html"), "utf8"), /Best loss \d.*to be said/s);
  const clip = `corpus/${theatre.samples[0]!.media}`;
  const ask = ["infer", clip, "--model", "cold/model", "--max-new-tokens", "2"];
  const asked = oppo(...ask);
  assert.match(
    asked.stderr,
    /question: how does the person feel\? \(cold\/model\/oppo_prompt\.json: what it was trained with\)/,
  );
  const [answer] = JSON.parse(oppo(...ask, "--json").stdout);
  assert.match(answer.prompt, /^the person says: .*\. how does the person feel\?$/);
  const other = oppo(...ask, "--question", "why?");
  assert.match(other.stderr, /question: why\? \(--question; the model was trained with "how does the person feel\?"\)/);

  const rl = ["--steps", "1", "--prompts-per-step", "2", "--group-size", "2", "--max-new-tokens", "4"];
  const trained = oppo("train", "--model", "cold/model", "--data", "corpus/clips.jsonl", "--run", "rl", ...rl);
  assert.equal(trained.status, 0, trained.stderr);
  assert.match(trained.stderr, /question: how does the person feel\? \(cold\/model\/oppo_prompt\.json/);
  const kept = readFileSync(join(theatre.root, "rl/model/oppo_prompt.json"), "utf8");
  assert.equal(kept, readFileSync(join(theatre.root, "cold/model/oppo_prompt.json"), "utf8"));

  assert.equal(oppo("mep", "build", "--data", "corpus/clips.jsonl", "--samples", "2", "--out", "set").status, 0);
  const measure = [
    "mep",
    "run",
    "set",
    "--model",
    "rl/model",
    "--max-new-tokens",
    "4",
    "--max-unreadable",
    "0",
    "--json",
  ];
  const measured = oppo(...measure, "--out", "measured");
  assert.equal(measured.status, 0, measured.stderr);
  assert.equal(JSON.parse(measured.stdout).settings.question, question);
  const told = oppo(...measure, "--out", "told", "--question", "why?");
  assert.equal(JSON.parse(told.stdout).settings.question, "why?");
});

test("an adapter keeps its question too", () => {
  const lora = oppo(...cold, "--trainable", "lora", "--lora-rank", "2", "--run", "lora", "--json");
  assert.equal(lora.status, 0, lora.stderr);
  assert.equal(JSON.parse(lora.stdout).model, "lora/model");
  assert.ok(existsSync(join(theatre.root, "lora/adapter/adapter_config.json")));
  const clip = `corpus/${theatre.samples[0]!.media}`;
  const asked = oppo("infer", clip, "--model", "fresh-1", "--adapter", "lora/adapter", "--max-new-tokens", "2");
  assert.equal(asked.status, 0, asked.stderr);
  assert.match(asked.stderr, /\(lora\/adapter\/oppo_prompt\.json: what it was trained with\)/);
});

test("what cannot be is one sentence, and no run is left behind", () => {
  const failure = (...args: string[]) => {
    const { status, stderr } = oppo(...cold, "--run", "never", ...args);
    assert.notEqual(status, 0);
    assert.equal(existsSync(join(theatre.root, "never")), false);
    return stderr.trimEnd().split("\n").at(-1)!;
  };
  assert.match(failure("--preset", "sft-papers"), /expected one of sft, sft-paper, .* \[ERR_PRESET\]$/);
  assert.match(failure("--data", "none.jsonl"), /none\.jsonl: expected a readable file.* \[ERR_DATASET_UNREADABLE\]$/);
  assert.match(failure("--eval-data", "corpus/clips.jsonl"), /the same id; .* \[ERR_OVERLAP\]$/);
  assert.match(failure("--eval-every", "3"), /nothing is evaluated on \(evalData or evalSamples\)/);
  assert.match(failure("--format", "messages"), /has no effect: conversations bring their own/);
  writeFileSync(join(theatre.root, "bare.jsonl"), '{"id": "a", "media": "a.mp4", "labels": ["sad"]}\n');
  assert.match(failure("--data", "bare.jsonl"), /got 1; the last is a: no reasoning.* \[ERR_SFT_TARGETS\]$/);
  assert.match(failure("--trainable", "lora", "--lora-targets", "nowhere"), /nowhere.*\[ERR_ADAPTER_TARGETS\]$/);
});
