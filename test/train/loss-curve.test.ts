// The loss of a few steps of the cold start and of OPPO, pinned: a commit that changes a step by more than rounding changes these
// numbers, and has to say why. Clips are noise from a seed and completions are fixed, so nothing but the step is measured.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ClipLibrary } from "../../src/corpus/clips/clip-library.ts";
import { buildTheatreTokenizer } from "../../src/data/theatre/tokenizer.ts";
import type { MediaClip } from "../../src/media/clip.ts";
import { initTiny } from "../../src/models/qwen-omni/init.ts";
import { loadModel } from "../../src/models/registry.ts";
import { AdamW, updateParameters } from "../../src/nn/index.ts";
import { createRandom } from "../../src/random.ts";
import { accumulateGradients } from "../../src/rl/gradients.ts";
import type { TrainGroup } from "../../src/rl/plan.ts";
import { defaultStepOptions, type StepOptions } from "../../src/rl/step-options.ts";
import { viewSelectors } from "../../src/rl/views.ts";
import { scope, torchVersion } from "../../src/tensor/index.ts";
import { outsideTowers } from "../../src/train/policy.ts";
import { sftObjective } from "../../src/train/sft.ts";
import { scoredRollout, testSample } from "../support/rollouts.ts";
import { verySmall } from "../support/small-theatre.ts";

/** Made with libtorch 1.13; other versions and processors add in another order. */
const relativeTolerance = torchVersion().startsWith("1.13") ? 2e-4 : 2e-3;
const lr = 3e-3;
const pinned = {
  sft: [7.446867, 5.804193, 4.727818, 3.796359],
  oppo: [0.479237, 0.381821, 0.293909],
  klVideo: [0.0980672, 0.163498, 0.222621],
  gradNorm: [2.103122, 2.052834, 3.854883],
};

const reasonings = [
  "the video shows a furrowed brow. the audio carries a loud voice. this suggests the person is angry.",
  "the video shows a broad smile. the audio carries laughter. this suggests the person is happy.",
];

function noiseClip(seed: number): MediaClip {
  const random = createRandom(seed);
  const [numFrames, size, seconds, sampleRateHz] = [4, 112, 2, 16_000];
  return {
    frames: Uint8Array.from({ length: numFrames * size * size * 3 }, () => random.int(256)),
    ...{ numFrames, height: size, width: size, fps: 2, sampleRateHz, durationSeconds: seconds },
    waveform: Float32Array.from({ length: seconds * sampleRateHz }, () => random.next() - 0.5),
  };
}

/** @param options of the step: what a negative control changes */
async function curve(directory: string, options: Partial<StepOptions> = {}): Promise<typeof pinned> {
  using policy = await loadModel(directory);
  using reference = await loadModel(directory);
  using library = new ClipLibrary(policy);
  library.add(reasonings.map((_, i) => ({ sample: testSample(`clip-${i}`), clip: policy.fitClip(noiseClip(i + 1)) })));
  const trainable = [...outsideTowers(policy).values()];
  for (const parameter of trainable) parameter.requiresGrad = true;
  using optimizer = new AdamW([{ parameters: trainable }], { lr });
  const update = () => updateParameters(optimizer, trainable, lr, 1);
  const texts = reasonings.map((text) => `<think>${text}</think><answer>angry</answer>`);
  const targets = texts.map((text) => Int32Array.from([...policy.encodeText(text), policy.stopIds[0]!]));
  const prompts = reasonings.map((_, i) => library.prompt(`clip-${i}`, "what does the person feel?"));
  const examples = prompts.map((prompt, i) => [
    { prompt, target: targets[i]!, weights: new Float32Array(targets[i]!.length).fill(1) },
  ]);
  const sft = sftObjective(policy, () => examples);
  const losses = pinned.sft.map((_, step) => {
    optimizer.zeroGrad();
    const { metrics } = sft.gradients(step) as Awaited<ReturnType<typeof sft.gradients>>;
    update();
    return metrics.values().loss!;
  });

  const stepOptions = { ...defaultStepOptions, views: viewSelectors.oppo, anchorWeight: 0.2, ...options };
  const steps = pinned.oppo.map(() => {
    optimizer.zeroGrad();
    const masked = prompts.map((_, i) =>
      (["video", "audio"] as const).map((modality) => {
        const [rows] = library.maskedRows([{ sampleId: `clip-${i}`, masks: [{ modality, ratio: 0.7, seed: 9 }] }]);
        return rows!;
      }),
    );
    const groups = prompts.map((prompt, i): TrainGroup => {
      const [video, audio] = masked[i]!.map((rows) => ({ policy: { tokens: prompt.tokens, rows } }));
      const rollouts = targets.map((ids, other) => {
        const rollout = { ids, logprobs: new Float32Array(ids.length), pieces: [], text: "", truncated: false };
        return scoredRollout(rollout, other === i ? 1 : -1, { video: [4, 5, 6, 7], audio: [10, 11, 12] });
      });
      return { prompt: { policy: prompt }, masked: { video: video!, audio: audio! }, rollouts };
    });
    const metrics = scope(() => accumulateGradients({ policy, reference }, groups, stepOptions)).values();
    for (const rows of masked.flat()) rows[Symbol.dispose]();
    return { ...metrics, gradNorm: update().gradNorm } as Record<string, number>;
  });
  return {
    sft: losses,
    oppo: steps.map(({ loss }) => loss!),
    klVideo: steps.map((metrics) => metrics["omni/kl_video"]!),
    gradNorm: steps.map(({ gradNorm }) => gradNorm!),
  };
}

/** The largest difference of two curves, in shares of the first. */
function distance(expected: typeof pinned, got: typeof pinned): number {
  const names = Object.keys(expected) as (keyof typeof pinned)[];
  return Math.max(
    ...names.flatMap((name) => expected[name].map((value, i) => Math.abs(value - got[name][i]!) / Math.abs(value))),
  );
}

test("the loss curve is the pinned one, and another objective's is not", async () => {
  const directory = mkdtempSync(join(tmpdir(), "oppo-curve-"));
  try {
    initTiny(directory, buildTheatreTokenizer(), 5, verySmall);
    const got = await curve(directory);
    assert.ok(distance(pinned, got) < relativeTolerance, JSON.stringify(got));
    const other = await curve(directory, { anchorWeight: 0.21 });
    assert.ok(distance(pinned, other) > relativeTolerance, "a little more of the anchor is seen");
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
