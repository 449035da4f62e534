// A corpus held in memory and the same corpus as a stream are one run: to the bit, whatever decodes and in which order it is
// done; clips that cannot be read and decoders that are killed included.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { ClipLibrary } from "../../src/corpus/clips/clip-library.ts";
import { clipSettings } from "../../src/corpus/clips/clip-settings.ts";
import { openClips } from "../../src/corpus/clips/open-clips.ts";
import type { Sample } from "../../src/data/sample.ts";
import { resolveConfig } from "../../src/run/config.ts";
import { InterruptedError } from "../../src/run/interrupt.ts";
import { readStepLog } from "../../src/run/metrics.ts";
import { numLiveTensors } from "../../src/tensor/index.ts";
import { batchOf } from "../../src/train/batches.ts";
import { trainSchema } from "../../src/train/config.ts";
import { trainGrpo } from "../../src/train/grpo.ts";
import { openPolicy } from "../../src/train/policy.ts";
import { presets } from "../../src/train/presets.ts";
import { childrenOf, hasProcesses } from "../support/processes.ts";
import { quietRun } from "../support/quiet-run.ts";
import { skipVideo } from "../support/skip-video.ts";
import { type SmallTheatre, smallTheatre } from "../support/small-theatre.ts";
import { theatreTerms, warmModel } from "../support/theatre-training.ts";
import { digestOf, interruptAt, withoutTimes } from "../support/training-runs.ts";

const warmSteps = 32;

let theatre: SmallTheatre;
/** Directory of a model that has the format and still makes mistakes. */
let warm: string;

before(async () => {
  theatre = await smallTheatre(6);
  ({ directory: warm } = await warmModel(theatre, warmSteps));
});
after(() => theatre[Symbol.dispose]());

interface RunOptions {
  readonly clips: Parameters<typeof clipSettings.parse>[0];
  readonly samples?: readonly Sample[];
  readonly maxSkippedFraction?: number;
  readonly maxPromptTokens?: number;
  readonly steps?: number;
  readonly stopAt?: number | null;
  readonly promptsPerStep?: number;
  readonly onStep?: (step: number) => void;
}

/** Trains into a folder. @returns what the run logged, without times, and what it learned */
async function train(name: string, options: RunOptions) {
  const { samples = theatre.samples, maxSkippedFraction = 0, steps = 4, stopAt = null, promptsPerStep = 2 } = options;
  const directory = join(theatre.root, name);
  mkdirSync(directory, { recursive: true });
  const shared = [`promptsPerStep=${promptsPerStep}`, "warmupSteps=0", "maxNewTokens=48", "checkpointEvery=50"];
  const config = resolveConfig(trainSchema, {
    preset: presets.oppo.config,
    // Both views of every prompt, so that a few steps look at each.
    overrides: [...shared, "learningRate=2e-4", `steps=${steps}`, "perception.viewDraw=all"],
  });
  using models = await openPolicy({ ...config, model: warm });
  using library = new ClipLibrary(models.reference);
  const { progress, interrupt, lines } = quietRun();
  const order = {
    ...{ items: samples, clipsOf: (sample: Sample) => [sample], steps },
    batchAt: (step: number) => batchOf(samples, config.promptsPerStep, config.seed, step),
  };
  using clips = await openClips(library, order, {
    settings: clipSettings.parse(options.clips),
    ...{ file: theatre.samplesFile, maxSkippedFraction, progress, interrupt },
    maxPromptTokens: options.maxPromptTokens ?? null,
    skipFile: join(directory, "skipped.jsonl"),
  });
  const held: number[] = [];
  await trainGrpo(
    {
      ...{ config, models, library, samples, clips },
      ...theatreTerms(),
    },
    {
      directory,
      interrupt: interruptAt(stopAt),
      onStep: (step) => {
        held.push(samples.filter(({ id }) => library.has(id)).length);
        options.onStep?.(step);
      },
    },
  );
  const { skipped } = clips.account();
  const result = {
    metrics: withoutTimes(directory),
    rollouts: readStepLog(join(directory, "rollouts.jsonl")),
    weights: digestOf(models.trainable),
  };
  return { result, held, lines, skipped, waits: readStepLog(join(directory, "metrics.jsonl")) };
}

describe("a stream of clips", () => {
  test("is the run of a corpus in memory to the bit, with any number of decoders, and holds one batch", async () => {
    const memory = await train("memory", { clips: { mode: "memory" } });
    assert.deepEqual(memory.held, [6, 6, 6, 6]);
    assert.ok(
      memory.result.metrics.every((row) => row["omni/kl_video"]! > 0),
      "masked views are looked at",
    );
    const live = numLiveTensors();
    for (const clips of [{ workers: 1 }, { workers: 3, ahead: 1 }, { aheadMegabytes: 0.001 }]) {
      const name = `stream-${JSON.stringify(clips).replaceAll(/\W/g, "")}`;
      const stream = await train(name, { clips: { mode: "stream", ...clips } });
      assert.deepEqual(stream.result, memory.result, name);
      assert.deepEqual(stream.held, [2, 2, 2, 2]);
      assert.ok(stream.waits.every((row) => Number(row["timing_s/wait_clips"]) >= 0));
      assert.match(stream.lines[0]!, /clips\.jsonl: 6 clips are streamed: read by \d decoders, /);
    }
    assert.equal(numLiveTensors(), live, "nothing leaks");
    // negative control: another clip under the same name is another run
    const swapped = theatre.samples.map((sample, i) => ({ ...sample, media: theatre.samples[(i + 1) % 6]!.media }));
    const other = await train("swapped", { clips: { mode: "stream" }, samples: swapped });
    assert.notDeepEqual(other.result.weights, memory.result.weights);
  });

  test("auto holds what is small and streams what is not", async () => {
    const small = await train("small", { clips: {}, steps: 1 });
    assert.deepEqual(small.held, [6]);
    const large = await train("large", { clips: { memoryGigabytes: 1e-4 }, steps: 1 });
    assert.deepEqual(large.held, [2]);
    assert.deepEqual(large.result, small.result);
  });

  test("a kept clip gives the same numbers as a decoded one; a damaged one is decoded anew", async () => {
    const cache = join(theatre.root, "kept");
    const clips = { mode: "stream" as const, cache };
    const first = await train("cache-1", { clips });
    const files = () => readdirSync(cache).map((name) => join(cache, name));
    assert.equal(files().length, 6);
    const [cut, wrong] = files() as [string, string];
    truncateSync(cut, statSync(cut).size - 1);
    const bytes = readFileSync(wrong);
    bytes[bytes.length - 1000]! ^= 1;
    writeFileSync(wrong, bytes);
    const second = await train("cache-2", { clips });
    assert.deepEqual(second.result, first.result);
    assert.equal(files().length, 6);
    assert.notDeepEqual(readFileSync(wrong), bytes, "it was written again");
  });
});

describe("clips that cannot be read", () => {
  const bad = (): Sample[] => {
    writeFileSync(join(theatre.corpus, "noise.mp4"), "x".repeat(5000));
    const samples = [...theatre.samples];
    samples.splice(2, 0, { ...samples[0]!, id: "noise", media: "noise.mp4" });
    samples.push({ ...samples[0]!, id: "missing", media: "missing.mp4" });
    return samples;
  };

  test("drop out of their batches, held or streamed, and a run that goes on does without the same ones", async () => {
    const options = { samples: bad(), maxSkippedFraction: 0.3, steps: 5, promptsPerStep: 3 };
    const memory = await train("bad-memory", { ...options, clips: { mode: "memory" } });
    const stream = await train("bad-stream", { ...options, clips: { mode: "stream" } });
    assert.deepEqual(stream.result, memory.result);
    const perStep = [0, 1, 2, 3, 4].map((step) => stream.result.rollouts.filter((row) => row.step === step).length);
    const numShown = perStep.reduce((sum, count) => sum + count, 0);
    assert.ok(numShown < 15 && numShown >= 11, `${perStep}`);
    assert.deepEqual(stream.skipped.map(({ id }) => id).sort(), ["missing", "noise"]);
    const { lines } = stream;
    assert.equal(
      lines.filter((line) => /clip skipped: (noise|missing): .*expected .*got/.test(line)).length,
      2,
      `${lines}`,
    );
    const rows = readFileSync(join(theatre.root, "bad-stream/skipped.jsonl"), "utf8").trimEnd().split("\n");
    assert.deepEqual(Object.keys(JSON.parse(rows[0]!)), ["id", "reason", "step"]);

    await assert.rejects(train("bad-stopped", { ...options, clips: { mode: "stream" }, stopAt: 4 }), InterruptedError);
    // Repaired meanwhile: the steps that went without it still do.
    writeFileSync(join(theatre.corpus, "missing.mp4"), readFileSync(join(theatre.corpus, theatre.samples[1]!.media)));
    const resumed = await train("bad-stopped", { ...options, clips: { mode: "stream" } });
    assert.deepEqual(resumed.result, stream.result);
  });

  test("a batch with none that can be read gives way to the next one that has some", async () => {
    const samples = bad().filter(({ id }) => id === "noise" || id === theatre.samples[0]!.id);
    const options = { samples, maxSkippedFraction: 0.5, steps: 2, promptsPerStep: 1 };
    const memory = await train("one-memory", { ...options, clips: { mode: "memory" } });
    assert.deepEqual(
      memory.result.rollouts.map((row) => row.sample),
      [samples[0]!.id, samples[0]!.id],
    );
    const stream = await train("one-stream", { ...options, clips: { mode: "stream" } });
    assert.deepEqual(stream.result, memory.result);
  });

  test("a corpus of which every clip is too long ends in one sentence, long before all were tried", async () => {
    const samples = Array.from({ length: 400 }, (_, i) => ({ ...theatre.samples[i % 6]!, id: `long-${i}` }));
    for (const mode of ["stream", "memory"] as const) {
      const options = { samples, clips: { mode }, maxSkippedFraction: 0.1, promptsPerStep: 4 };
      await assert.rejects(train(`long-${mode}`, { ...options, maxPromptTokens: 50 }), (error: Error) => {
        assert.equal((error as Error & { code: string }).code, "ERR_TOO_MANY_SKIPPED");
        const got = mode === "stream" ? "16 of the first 16" : "41";
        const text = `clips to be unreadable, got ${got}; the last is long-`;
        assert.ok(error.message.includes(`expected at most 40 of 400 ${text}`), error.message);
        assert.match(
          error.message,
          /: expected at most 50 tokens in the prompt of a clip, got \d+ \(4 frames of 112 x 112/,
        );
        assert.ok(!error.message.includes("\n"));
        return true;
      });
    }
    // control: a bound that all clips keep leaves none out
    const kept = await train("long-not", { clips: { mode: "stream" }, maxPromptTokens: 500, steps: 1 });
    assert.deepEqual(kept.skipped, []);
  });
});

test("a decoder that does not come to an end is replaced, and its clip left out", async () => {
  writeFileSync(join(theatre.corpus, "slow.h264"), skipVideo(1920, 1088, 3000));
  const [first, second, third] = theatre.samples as [Sample, Sample, Sample];
  const samples = [first, { ...first, id: "slow", media: "slow.h264" }, second, third];
  const clips = { mode: "stream", workers: 1, decodeSeconds: 1 } as const;
  const stream = await train("slow", { clips, samples, steps: 2, maxSkippedFraction: 0.3 });
  assert.match(stream.skipped[0]!.reason, /expected to decode within 1 s of processor time, got no end/);
  assert.equal(stream.result.rollouts.length, 3);
});

test("decoders that are killed are replaced, and the run is the same", { skip: !hasProcesses }, async () => {
  const quiet = await train("unharmed", { clips: { mode: "stream", workers: 2 }, steps: 6 });
  let numKilled = 0;
  const harmed = await train("harmed", {
    clips: { mode: "stream", workers: 2, ahead: 1 },
    steps: 6,
    onStep: () => {
      for (const pid of childrenOf(process.pid)) {
        process.kill(pid, "SIGKILL");
        numKilled++;
      }
    },
  });
  assert.ok(numKilled >= 6, `${numKilled} killed`);
  assert.deepEqual(harmed.result, quiet.result);
  assert.deepEqual(harmed.skipped, []);
});
