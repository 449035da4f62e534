// A few steps of learning, small and complete: towers, a cold start, rollouts, OPPO with masked views, updates. Clips are noise
// from a seed and what the steps learn from is fixed, so nothing but the computation is measured.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClipLibrary } from "../../src/corpus/clips/clip-library.ts";
import { buildTheatreTokenizer } from "../../src/data/theatre/tokenizer.ts";
import type { MediaClip } from "../../src/media/clip.ts";
import type { ModelPrompt, OmniModel } from "../../src/models/omni-model.ts";
import { initTiny } from "../../src/models/qwen-omni/init.ts";
import { AdamW, updateParameters } from "../../src/nn/index.ts";
import { createRandom } from "../../src/random.ts";
import { accumulateGradients } from "../../src/rl/gradients.ts";
import type { TrainGroup } from "../../src/rl/plan.ts";
import { sampleGroups } from "../../src/rl/rollout.ts";
import { defaultStepOptions, type StepOptions } from "../../src/rl/step-options.ts";
import type { Rollout } from "../../src/rl/types.ts";
import { viewSelectors } from "../../src/rl/views.ts";
import { scope } from "../../src/tensor/index.ts";
import { type OpenedPolicy, openPolicy, type PolicyOptions } from "../../src/train/policy.ts";
import { sftObjective } from "../../src/train/sft.ts";
import { scoredRollout, testSample } from "./rollouts.ts";
import { verySmall } from "./very-small.ts";

export interface SmallSteps {
  /** Losses of the cold start. */
  readonly sft: number[];
  /** Of OPPO's steps. */
  readonly oppo: number[];
  readonly klVideo: number[];
  readonly gradNorm: number[];
  /** Sampled after the cold start, by sequence. */
  readonly ids: number[][];
  readonly logprobs: number[][];
}

export interface SmallStepsOptions extends Partial<PolicyOptions> {
  readonly step?: Partial<StepOptions>;
  readonly lr?: number;
  /** Called when the model is loaded, its clips are encoded and nothing has been computed with it yet. */
  readonly onLoaded?: () => void;
}

const usualLr = 3e-3;
const sftSteps = 4;
const oppoSteps = 3;
const reasonings = [
  "the video shows a furrowed brow. the audio carries a loud voice. this suggests the person is angry.",
  "the video shows a broad smile. the audio carries laughter. this suggests the person is happy.",
];

/** Runs the body with the directory of a tiny checkpoint. */
export async function withSmallModel<T>(body: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "oppo-steps-"));
  try {
    initTiny(directory, buildTheatreTokenizer(), 5, verySmall);
    return await body(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function noiseClip(seed: number): MediaClip {
  const random = createRandom(seed);
  const [numFrames, size, seconds, sampleRateHz] = [4, 112, 2, 16_000];
  return {
    frames: Uint8Array.from({ length: numFrames * size * size * 3 }, () => random.int(256)),
    ...{ numFrames, height: size, width: size, fps: 2, sampleRateHz, durationSeconds: seconds },
    waveform: Float32Array.from({ length: seconds * sampleRateHz }, () => random.next() - 0.5),
  };
}

export async function smallSteps(
  model: string,
  { step, lr = usualLr, onLoaded, ...given }: SmallStepsOptions = {},
): Promise<SmallSteps> {
  const learner = {
    trainable: "decoder",
    parts: ["decoder", "projector", "towers"],
    device: "cpu",
    dtype: "float32",
    recompute: "off",
  } as const;
  const lora = { rank: 8, alpha: 16, dropout: 0, targets: null };
  using opened = await openPolicy({ ...learner, lora, model, seed: 3, ...given });
  const { policy, trainable, masters } = opened;
  using library = new ClipLibrary(policy);
  library.add(reasonings.map((_, i) => ({ sample: testSample(`clip-${i}`), clip: policy.fitClip(noiseClip(i + 1)) })));
  const parameters = [...trainable.values()];
  const group = { parameters, masters: [...trainable].map(([name, own]) => masters.get(name) ?? own) };
  using optimizer = new AdamW([group], { lr });
  const update = () => updateParameters(optimizer, parameters, lr, 1);
  const targets = reasonings.map((text) => {
    const ids = policy.encodeText(`<think>${text}</think><answer>angry</answer>`);
    return Int32Array.from([...ids, policy.stopIds[0]!]);
  });
  const prompts = reasonings.map((_, i) => library.prompt(`clip-${i}`, "what does the person feel?"));
  onLoaded?.();
  const examples = prompts.map((prompt, i) => [
    { prompt, target: targets[i]!, weights: new Float32Array(targets[i]!.length).fill(1) },
  ]);
  const sft = sftObjective(policy, () => examples);
  const losses: number[] = [];
  for (let i = 0; i < sftSteps; i++) {
    optimizer.zeroGrad();
    const { metrics } = await sft.gradients(i, { update: () => undefined, perceptionScale: 1 });
    update();
    losses.push(metrics.values().loss!);
  }
  const rollouts = sample(policy, prompts);
  const steps = Array.from({ length: oppoSteps }, () => {
    optimizer.zeroGrad();
    const metrics = oppoGradients(opened, library, prompts, targets, step);
    return { ...metrics, gradNorm: update().gradNorm } as Record<string, number>;
  });
  return {
    sft: losses,
    oppo: steps.map((metrics) => metrics.loss!),
    klVideo: steps.map((metrics) => metrics["omni/kl_video"]!),
    gradNorm: steps.map((metrics) => metrics.gradNorm!),
    ids: rollouts.map(({ ids }) => [...ids]),
    logprobs: rollouts.map(({ logprobs }) => [...logprobs]),
  };
}

function sample(policy: OmniModel, prompts: readonly ModelPrompt[]): Rollout[] {
  const named = prompts.map((prompt, i) => ({ sample: testSample(`clip-${i}`), prompt }));
  const options = { groupSize: 4, maxNewTokens: 40, temperature: 1, seed: 7, step: 0 };
  return scope(() => sampleGroups(policy, named, options)).flatMap((group) => group.rollouts);
}

function oppoGradients(
  { policy, reference }: OpenedPolicy,
  library: ClipLibrary,
  prompts: readonly ModelPrompt[],
  targets: readonly Int32Array[],
  options: Partial<StepOptions> = {},
): Record<string, number> {
  const stepOptions = { ...defaultStepOptions, views: viewSelectors.oppo, anchorWeight: 0.2, ...options };
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
  return metrics as unknown as Record<string, number>;
}
