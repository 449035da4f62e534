// `oppo sft` as a program: samples and conversations from files, what is left out, held out, kept for reinforcement and refused, and
// the question that the model keeps.
import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { theatreKind } from "../../../src/corpus/theatre-kind.ts";
import { readWording } from "../../../src/corpus/wording.ts";
import { loadSamples } from "../../../src/data/jsonl.ts";
import { loadModel } from "../../../src/models/registry.ts";
import { resolveSft } from "../../../src/recipes/sft/settings.ts";
import { runSft } from "../../../src/recipes/sft/sft.ts";
import { quietRun } from "../../support/quiet-run.ts";
import { type SmallTheatre, smallTheatre } from "../../support/small-theatre.ts";

let theatre: SmallTheatre;
let model: string;

before(async () => {
  theatre = await smallTheatre(8);
  model = theatre.freshModel(1);
});
after(() => theatre[Symbol.dispose]());

const few = ["steps=2", "samplesPerStep=2", "warmupSteps=0", "learningRate=1e-3"];

async function sft(name: string, ...overrides: string[]) {
  const { progress, interrupt, lines } = quietRun();
  const directory = join(theatre.root, name);
  const { run, ...config } = resolveSft({
    overrides: [`run=${directory}`, `model=${model}`, `data=${theatre.samplesFile}`, ...few, ...overrides],
  });
  const result = await runSft({ directory: run, config, progress, interrupt });
  return { ...result, log: lines.join("\n"), directory };
}

const refusal = (code: string, message: RegExp) => (error: Error & { code: string }) => {
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  return true;
};

/** The theatre's rows, changed, in a file beside its clips. */
function rewrite(name: string, change: (row: Record<string, unknown>, at: number) => unknown[]): string {
  const rows = readFileSync(theatre.samplesFile, "utf8").trimEnd().split("\n");
  const file = join(theatre.corpus, name);
  const changed = rows.flatMap((line, at) => change(JSON.parse(line), at));
  writeFileSync(file, changed.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return file;
}

describe("samples", () => {
  test("are learnt, held out and kept for reinforcement; the model keeps the corpus' question", async () => {
    const { log, directory, ...result } = await sft(
      "whole",
      "samples=4",
      "evalSamples=2",
      "evalAnswers=1",
      "maxNewTokens=4",
    );
    assert.deepEqual(
      [result.steps, result.numLearnt, result.numHeldOut, result.numRest, result.numSkipped],
      [2, 4, 2, 2, 0],
    );
    assert.ok(Number.isFinite(result.evaluation!.loss));
    const { samples: rest } = await loadSamples(join(directory, "rest.jsonl"));
    assert.equal(rest.length, 2);
    for (const { media, cues } of rest) {
      assert.ok(existsSync(join(directory, media)), "its media are found from where it lies");
      assert.ok(cues.length > 0);
    }
    const held = readFileSync(join(directory, "answers.jsonl"), "utf8");
    assert.ok(!rest.some(({ id }) => held.includes(`"${id}"`)));
    assert.deepEqual(readWording(result.model), {
      question: theatreKind.question,
      system: null,
      spoken: theatreKind.spoken,
    });
    using trained = await loadModel(result.model);
    assert.ok(trained.vocabSize > 0);
    assert.match(log, /clips\.jsonl: 8 samples in the form of our samples, told by the first rows/);
    assert.match(log, /learnt from 4 of 8; evaluated on 2 of .*; the others are in rest\.jsonl/);
    const again = await sft("again", "samples=4", "evalSamples=2", "evalAnswers=1", "maxNewTokens=4");
    assert.equal(again.metrics.loss, result.metrics.loss, "the split and the run follow from the seed");
  });

  test("a question and a system text of one's own are learnt and kept; a next run asks the same by itself", async () => {
    const first = await sft("asked", "question=why?", "system=be brief.");
    assert.deepEqual(readWording(first.model), { question: "why?", system: "be brief.", spoken: theatreKind.spoken });
    assert.match(first.log, /question: why\? \(--question\)/);
    const next = await sft("next", `model=${first.model}`);
    assert.match(next.log, /question: why\? \(.*oppo_prompt\.json: what it was trained with\)/);
    assert.deepEqual(readWording(next.model), readWording(first.model));
  });

  test("without a reasoning or labels are counted, and too many of them end the run", async () => {
    const file = rewrite("bare.jsonl", (row, at) => [
      at === 0 ? { ...row, reasoning: "" } : at === 1 ? { ...row, labels: [] } : row,
    ]);
    await assert.rejects(
      sft("bare", `data=${file}`),
      refusal(
        "ERR_SFT_TARGETS",
        /bare\.jsonl: expected at most 0 of 8 samples without a reasoning and labels to learn, got 2; the last is clips-\d+: no labels\./,
      ),
    );
    assert.equal(existsSync(join(theatre.root, "bare")), false, "nothing is left behind");
    const { numLearnt, log } = await sft("bare", `data=${file}`, "maxSkippedFraction=0.5");
    assert.equal(numLearnt, 6);
    assert.match(log, /samples left out that have nothing to learn: 2; the first: clips-\d+: no reasoning/);
    const tagged = rewrite("tagged.jsonl", (row) => [{ ...row, reasoning: "a </think> inside" }]);
    await assert.rejects(sft("tagged", `data=${tagged}`), refusal("ERR_SFT_TARGETS", /<\/think> inside its reasoning/));
  });

  test("clips that are too long are left out, and when all are the run ends with the length", async () => {
    await assert.rejects(
      sft("long", "maxTokens=10"),
      refusal(
        "ERR_TOO_MANY_SKIPPED",
        /expected at most 0 of 8 rows to be left out, got 1; the last is clips-\d+: \d+ tokens with its clips and answers; maxTokens is 10/,
      ),
    );
  });

  test("a file to evaluate on is refused where it shares rows, by id or by the clip's bytes", async () => {
    const same = rewrite("same.jsonl", (row, at) => (at === 3 ? [row] : []));
    await assert.rejects(
      sft("same", `evalData=${same}`),
      refusal(
        "ERR_OVERLAP",
        /same\.jsonl: .*got 1 of 1: clips-\d+ \(clips\/.*\) is clips-\d+ \(clips\/.*\): the same id/,
      ),
    );
    const renamed = rewrite("renamed.jsonl", (row, at) => {
      if (at !== 3) return [];
      mkdirSync(join(theatre.corpus, "other"), { recursive: true });
      copyFileSync(join(theatre.corpus, String(row.media)), join(theatre.corpus, "other/x.mp4"));
      return [{ ...row, id: "x", media: "other/x.mp4" }];
    });
    await assert.rejects(
      sft("same", `evalData=${renamed}`),
      refusal("ERR_OVERLAP", /x \(other\/x\.mp4\) is clips-\d+ .*: the same bytes/),
    );
    const half = rewrite("half.jsonl", (row, at) => (at < 4 ? [row] : []));
    const others = rewrite("others.jsonl", (row, at) => (at < 4 ? [] : [row]));
    const { numLearnt, numHeldOut } = await sft("apart", `data=${half}`, `evalData=${others}`, "evalAnswers=0");
    assert.deepEqual([numLearnt, numHeldOut], [4, 4]);
  });

  test("the same run goes on, another configuration is refused", async () => {
    const first = await sft("twice");
    assert.equal((await sft("twice")).metrics.loss, first.metrics.loss);
    await assert.rejects(sft("twice", "steps=3"), refusal("ERR_RUN_DIFFERS", /other values of steps/));
  });
});

describe("conversations", () => {
  const question = "what does the person feel, and why?";
  const target = (row: Record<string, unknown>) =>
    `<think>${String(row.reasoning)}</think><answer>${(row.labels as string[]).join(", ")}</answer>`;

  test("of HumanOmni's form give the loss of the same samples; bad rows are counted", async () => {
    const file = rewrite("omni.jsonl", (row) => [
      {
        video: row.media,
        conversations: [
          { from: "human", value: `<video>\n<audio>\n${question}` },
          { from: "gpt", value: target(row) },
        ],
      },
    ]);
    const plain = rewrite("plain.jsonl", (row) => [{ ...row, subtitle: "" }]);
    const samples = await sft("as-samples", `data=${plain}`);
    const omni = await sft("as-omni", `data=${file}`);
    assert.equal(omni.metrics.loss, samples.metrics.loss);
    assert.match(omni.log, /in the form of HumanOmni's conversations, told by the first rows/);
    assert.deepEqual(readWording(omni.model), { question, system: null, spoken: null });
    const silent = await sft(
      "as-silent",
      `data=${rewrite("silent.jsonl", (row) => [
        {
          messages: [
            { role: "user", content: `<video>${question}` },
            { role: "assistant", content: target(row) },
          ],
          videos: [row.media],
        },
      ])}`,
    );
    assert.notEqual(silent.metrics.loss, samples.metrics.loss, "a video alone is shown without its sound");
    assert.match(silent.log, /8 of 8 show a video without its sound \(no <audio> follows it\); --video-sound adds it/);
    const withSound = await sft("with-sound", `data=${join(theatre.corpus, "silent.jsonl")}`, "videoSound=true");
    assert.equal(withSound.metrics.loss, samples.metrics.loss);
  });

  test("with as many questions as rows keep none; a clip that lacks what is asked for is left out by name", async () => {
    const file = rewrite("many.jsonl", (row, at) => [
      {
        messages: [
          { role: "user", content: `<video>question ${at}?` },
          { role: "assistant", content: "yes." },
          { role: "user", content: "sure?" },
          { role: "assistant", content: "no." },
        ],
        videos: [at === 0 ? "clips/nowhere.mp4" : row.media],
      },
    ]);
    await assert.rejects(sft("many", `data=${file}`), refusal("ERR_TOO_MANY_SKIPPED", /nowhere/));
    const { model: saved, log, numSkipped, directory } = await sft("many", `data=${file}`, "maxSkippedFraction=0.2");
    assert.equal(numSkipped, 1);
    assert.match(readFileSync(join(directory, "skipped.jsonl"), "utf8"), /"id":"clips\/nowhere\.mp4".*no such file/);
    assert.equal(readWording(saved), null);
    assert.match(log, /questions: 8 different ones, so none is kept beside the model/);
  });

  test("are the same run held and streamed; rows that lack what they ask for drop out on the way", async () => {
    const file = rewrite("lack.jsonl", (row, at) => [
      {
        id: `r${at}`,
        messages: [
          { role: "user", content: "<video><audio>what is there?" },
          { role: "assistant", content: target(row) },
        ],
        videos: [row.media],
        // A subtitle file is no sound.
        audios: [at === 2 ? String(row.media).replace(".mp4", ".vtt") : row.media],
      },
    ]);
    const steps = [
      "steps=5",
      "maxSkippedFraction=0.2",
      "evalSamples=2",
      "evalEvery=2",
      "evalAnswers=1",
      "maxNewTokens=4",
    ];
    const held = await sft("held", `data=${file}`, ...steps, "clips.mode=memory");
    const streamed = await sft("streamed", `data=${file}`, ...steps, "clips.mode=stream");
    assert.equal(streamed.metrics.loss, held.metrics.loss);
    assert.deepEqual(streamed.evaluation, held.evaluation);
    assert.match(streamed.log, /6 clips are streamed/);
  });

  test("a split never parts the rows of one clip", async () => {
    const file = rewrite("pairs.jsonl", (row) =>
      ["what is seen?", "what is heard?"].map((text) => ({
        messages: [
          { role: "user", content: `<video>${text}` },
          { role: "assistant", content: "x" },
        ],
        videos: [row.media],
      })),
    );
    const { numLearnt, numHeldOut } = await sft("pairs", `data=${file}`, "evalSamples=3", "evalAnswers=0");
    assert.equal(numLearnt + numHeldOut, 16);
    assert.equal(numHeldOut % 2, 0);
    assert.ok(numHeldOut >= 4 || numHeldOut === 3 + 1);
  });
});
