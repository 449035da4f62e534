// Counterfactuals as they are reckoned against those that the code of a step makes, over many draws: what towers encode, what is
// compared, what is read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ClipLibrary } from "../../../src/corpus/clips/clip-library.ts";
import type { FittedSample } from "../../../src/corpus/clips/fitted-samples.ts";
import type { MediaClip } from "../../../src/media/clip.ts";
import type { OmniModel } from "../../../src/models/omni-model.ts";
import { readModelShape } from "../../../src/models/read-model-shape.ts";
import { drawViews } from "../../../src/rl/draw-views.ts";
import { viewSelectors } from "../../../src/rl/views.ts";
import { resolveConfig } from "../../../src/run/config.ts";
import { deriveUniform } from "../../../src/seeds.ts";
import { trainSchema } from "../../../src/train/config.ts";
import { MaskedInputs } from "../../../src/train/masked-inputs.ts";
import { grpoTask } from "../../../src/train/memory/config-task.ts";
import { comparedText, usualShare } from "../../../src/train/memory/counterfactuals.ts";
import { presets } from "../../../src/train/presets.ts";
import { ofUsualPrompts, showPrompt, stepRoles, trainGroups } from "../../../src/train/step-prompts.ts";
import { scoredRollout, testSample } from "../../support/rollouts.ts";

const shape = await readModelShape("Qwen/Qwen2.5-Omni-7B");
const prompts = 10;
const steps = 300;
const group = 4;
const standardErrors = 4;

const clip: MediaClip = {
  ...{ frames: new Uint8Array(2 * 3), numFrames: 2, height: 1, width: 1, fps: 1, durationSeconds: 1 },
  ...{ waveform: new Float32Array(4), sampleRateHz: 16_000 },
};
type Counts = Record<"degraded" | "video" | "audio" | "alike" | "read" | "views", number>;
const none: Counts = { degraded: 0, video: 0, audio: 0, alike: 0, read: 0, views: 0 };

/** A model that only counts which of a clip's modalities its towers are given. */
function countingModel(counts: Counts): OmniModel {
  const model = {
    features: ({ numFrames, waveform }: MediaClip) => ({ video: numFrames > 0, audio: waveform.length > 0 }),
    shapeOf: () => ({ video: { key: "v" }, audio: { key: "a" } }),
    promptTokens: () => ({ ids: new Int32Array(1), lens: "" }),
    encode: (features: readonly { video: boolean; audio: boolean }[]) =>
      features.map(({ video, audio }) => {
        counts.video += Number(video);
        counts.audio += Number(audio);
        return { video: null, audio: null, [Symbol.dispose]() {} };
      }),
  };
  return model as unknown as OmniModel;
}

const configOf = ({ probeShare = 0, ...perception }: { readonly probeShare?: number }) =>
  resolveConfig(trainSchema, { preset: { promptsPerStep: prompts, groupSize: group, probeShare, perception } });
const taskOf = (perception: object) =>
  grpoTask(shape, configOf(perception), null, { kind: "cuda", fusesAttention: true, gpus: 1 }).batch;

/** What the code makes in each of many steps. */
function countSteps(perception: object): Counts[] {
  const config = configOf(perception);
  const counts = { ...none };
  const library = new ClipLibrary(countingModel(counts));
  const cues = [{ kind: "video", text: "a" } as const, { kind: "audio", text: "b" } as const];
  const samples = Array.from({ length: prompts }, (_, i) => testSample(`${i}`, { labels: [`${i}`], cues }));
  library.add(samples.map((sample): FittedSample => ({ sample, clip })));
  // Blanks are made once, and are no step's.
  for (const modality of ["video", "audio"] as const) library.blankRows("0", modality);
  const all: Counts[] = [];
  for (let step = 0; step < steps; step++) {
    Object.assign(counts, none);
    const key = { seed: 7, step };
    using inputs = new MaskedInputs({
      ...{ library, live: null, samples, support: "observer", promptText: () => "", isSame: () => false },
      readCues: ({ cues: own }) => {
        counts.read++;
        return new Float32Array(own.length);
      },
    });
    const whole = samples.map((sample) => ({ sample, pair: { policy: library.prompt(sample.id, "") } }));
    const shares = { rolloutShare: config.perception.rolloutShare, probeShare: config.probeShare };
    const { degraded, probes } = stepRoles(samples, shares, key);
    const shown = whole.map((prompt, i) => {
      const asked = probes.includes(i) ? ({ question: "?", expected: "no" } as const) : null;
      return showPrompt(prompt, { isDegraded: degraded.has(i), asked }, config.perception, key, inputs);
    });
    const scored = shown.map(({ sample, readable, asked }) => ({
      sample,
      ...(readable === null ? {} : { readable }),
      ...(asked === null ? {} : { asked }),
      rollouts: Array.from({ length: group }, () =>
        scoredRollout(
          { ids: new Int32Array(3), logprobs: new Float32Array(3), pieces: [], text: "", truncated: false },
          0,
        ),
      ),
    }));
    const views = drawViews(
      ofUsualPrompts(viewSelectors[config.perception.views], scored),
      scored,
      config.perception.viewDraw,
      (...what) => deriveUniform(7, "views", step, ...what),
    );
    const { groups } = trainGroups(
      shown.map((one) => ({ shown: one, inputs })),
      scored,
      config.perception,
      key,
      { views, readsCues: true },
    );
    counts.degraded = shown.filter(({ readable }) => readable !== null).length;
    counts.alike = groups.reduce((sum, { alike = [] }) => sum + alike.length, 0);
    counts.views = groups.reduce((sum, { masked }) => sum + Object.keys(masked).length, 0);
    all.push({ ...counts });
  }
  return all;
}

/** The same of a step, as it is reckoned. */
function expected(perception: object): Counts {
  const { counterfactuals } = taskOf(perception);
  const { degradedShare, degraded, views } = counterfactuals;
  const [about, others] = [prompts * degradedShare, prompts * usualShare(counterfactuals)];
  return {
    degraded: about,
    video: about * degraded.encoded.video + others * views.encoded.video,
    audio: about * degraded.encoded.audio + others * views.encoded.audio,
    alike: about * degraded.alike,
    read: about * degraded.read + others * views.read,
    views: others * views.inputs,
  };
}

const family = presets["oppo-family"].config.perception;
const cases: Readonly<Record<string, object>> = {
  "the preset": family,
  "with mixed doses": { ...family, maskRatio: "mixed", alikeKinds: 2 },
  "without alike": { ...family, maskDoses: { low: 0.2, high: 0.8, full: 0.3 }, alikeWeight: 0, rolloutShare: 0.4 },
  "views of every prompt": { views: "papoDual", viewDraw: "all", maskFamily: family.maskFamily },
  "half of the views, and degraded prompts": { views: "papoDual", rolloutShare: 0.3, maskRatio: 0.7 },
  "half of the views, degraded prompts and probes": { ...{ views: "papoDual", rolloutShare: 0.2 }, probeShare: 0.3 },
  "a joint view of half of the rollouts": { views: "papo", viewDraw: "half-of-rollouts" },
};

for (const [name, perception] of Object.entries(cases)) {
  test(`counted as they are made: ${name}`, () => {
    const counted = countSteps(perception);
    for (const [what, value] of Object.entries(expected(perception)) as [keyof Counts, number][]) {
      const all = counted.map((counts) => counts[what]);
      const mean = all.reduce((sum, one) => sum + one, 0) / steps;
      const deviation = Math.sqrt(all.reduce((sum, one) => sum + (one - mean) ** 2, 0) / steps);
      const bound = (standardErrors * deviation) / Math.sqrt(steps) + 1e-9;
      assert.ok(Math.abs(mean - value) <= bound, `${what}: ${mean} a step, reckoned ${value}, bound ${bound}`);
    }
  });
}

test("what is left out is seen: a family reckoned without its swaps, or without what it is compared on", () => {
  const mean = (what: keyof Counts) => countSteps(family).reduce((sum, counts) => sum + counts[what], 0) / steps;
  const noSwaps = { video: family.maskFamily.video.slice(0, -1), audio: family.maskFamily.audio.slice(0, -1) };
  assert.ok(expected({ ...family, maskFamily: noSwaps }).read > 1.1 * mean("read"));
  assert.ok(expected({ ...family, alikeKinds: 1 }).alike < 0.5 * mean("alike"));
});

test("at most as many as the kinds that leave nothing, and none without a weight", () => {
  const { mostAlike } = taskOf(family).counterfactuals;
  assert.deepEqual(mostAlike, { video: 4, audio: 3 });
  assert.deepEqual(taskOf({ ...family, alikeWeight: 0 }).counterfactuals.mostAlike, { video: 0, audio: 0 });
  assert.equal(taskOf({ support: "reference" }).counterfactuals.reader, "reference");
});

test("in words", () => {
  assert.match(comparedText(taskOf(family)), /10% of the prompts .* compared on \d\.\d masked inputs more/);
  assert.match(comparedText(taskOf({ viewDraw: "half-of-rollouts" })), /^2 masked inputs .* half of its completions$/);
});
