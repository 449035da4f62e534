// One training step of a random model of middle widths, with libtorch's bytes counted part by part: what estimates of memory are
// held against. Clips are noise, completions are as long as they may be, and every rollout owns evidence tokens of both
// modalities, so that the step is the worst one that its settings allow.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClipLibrary } from "../../src/corpus/clips/clip-library.ts";
import { buildTheatreTokenizer } from "../../src/data/theatre/tokenizer.ts";
import type { MediaClip, ModalityMask } from "../../src/media/clip.ts";
import type { OmniModel } from "../../src/models/omni-model.ts";
import { initTiny } from "../../src/models/qwen-omni/init.ts";
import { readModelShape } from "../../src/models/read-model-shape.ts";
import { AdamW, updateParameters } from "../../src/nn/index.ts";
import { createRandom } from "../../src/random.ts";
import { accumulateGradients } from "../../src/rl/gradients.ts";
import type { TrainGroup } from "../../src/rl/plan.ts";
import { sampleGroups } from "../../src/rl/rollout.ts";
import { defaultStepOptions, type StepOptions } from "../../src/rl/step-options.ts";
import { alikeView, viewSelectors } from "../../src/rl/views.ts";
import { scope } from "../../src/tensor/index.ts";
import { noCounterfactuals } from "../../src/train/memory/counterfactuals.ts";
import { placeOn } from "../../src/train/memory/room.ts";
import { cuesRead, type MemoryTask } from "../../src/train/memory/task.ts";
import { readingReference } from "../../src/train/observer/reference-reading.ts";
import { openPolicy } from "../../src/train/policy.ts";
import { countMemory } from "./counted-memory.ts";
import { scoredRollout, testSample } from "./rollouts.ts";

export interface CountedStep {
  readonly task: MemoryTask;
  /** Live bytes between two steps, the clips' rows and gradients not among them; and those of gradients. */
  readonly standingBytes: number;
  readonly gradientBytes: number;
  /** Most bytes while clips were encoded, completions sampled, gradients made, and in the update. */
  readonly towers: number;
  /** And while the reference read cues of a masked clip. */
  readonly reading: number;
  readonly sampling: number;
  readonly gradients: number;
  readonly update: number;
}

export interface StepChoices {
  readonly trainable: "full" | "decoder" | "lora";
  readonly dtype: "float32" | "bfloat16";
  readonly recompute: boolean;
  readonly prompts: number;
  readonly promptsPerMicroBatch: number | null;
  readonly newTokens: number;
  readonly views: "none" | "oppo";
  /** Views in one pass; left out, each has its own. */
  readonly viewsAtOnce?: 1 | 2;
  /** Half of the prompts are about a blank video, and are compared with so many other ways in which it is gone; left out: none. */
  readonly alike?: number;
  readonly text?: Readonly<Record<string, number>>;
}

const groupSize = 4;
const rank = 8;
const middleText = {
  hidden_size: 256,
  num_hidden_layers: 4,
  num_attention_heads: 8,
  num_key_value_heads: 2,
  head_dim: 32,
  intermediate_size: 1024,
  vocab_size: 4096,
};
const [numFrames, side, seconds] = [8, 168, 2];

function noiseClip(seed: number): MediaClip {
  const random = createRandom(seed);
  const sampleRateHz = 16_000;
  return {
    frames: Uint8Array.from({ length: numFrames * side * side * 3 }, () => random.int(256)),
    ...{ numFrames, height: side, width: side, fps: 4, sampleRateHz, durationSeconds: seconds },
    waveform: Float32Array.from({ length: seconds * sampleRateHz }, () => random.next() - 0.5),
  };
}

/** Runs two steps and counts the second. */
export async function countStep(choices: StepChoices): Promise<CountedStep> {
  const directory = mkdtempSync(join(tmpdir(), "oppo-counted-"));
  try {
    initTiny(directory, buildTheatreTokenizer(), 1, {
      text_config: { ...middleText, ...choices.text },
      video: { fps: 4, max_pixels: side * side },
    });
    const memory = await countMemory();
    const before = memory.live();
    return await counted(
      directory,
      choices,
      () => memory.takePeak() - before,
      () => memory.live() - before,
    );
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function counted(
  model: string,
  choices: StepChoices,
  takePeak: () => number,
  live: () => number,
): Promise<CountedStep> {
  const { trainable, dtype, prompts: numPrompts, newTokens } = choices;
  const lora = { rank, alpha: 16, dropout: 0, targets: null };
  const recompute = choices.recompute ? "on" : "off";
  using models = await openPolicy({
    model,
    seed: 1,
    trainable,
    parts: ["decoder", "projector", "towers"],
    lora,
    dtype,
    recompute,
    device: "cpu",
  });
  const { policy, reference } = models;
  const learned = [...models.trainable.values()];
  const masters = [...models.trainable].map(([name, parameter]) => models.masters.get(name) ?? parameter);
  using optimizer = new AdamW([{ parameters: learned, masters }], { lr: 1e-5 });
  using library = new ClipLibrary(reference);
  const ids = Array.from({ length: numPrompts }, (_, i) => `clip-${i}`);
  takePeak();
  library.add(ids.map((id, i) => ({ sample: testSample(id), clip: policy.fitClip(noiseClip(i)) })));
  const towers = takePeak();
  const prompts = ids.map((id) => library.prompt(id, "what does the person feel?"));
  const random = createRandom(3);
  const rollout = () => {
    const tokens = Int32Array.from({ length: newTokens }, () => random.int(400));
    const all = Array.from({ length: newTokens }, (_, t) => t);
    const said = { ids: tokens, logprobs: new Float32Array(newTokens).fill(-6), pieces: [], text: "", truncated: true };
    return scoredRollout(said, random.next() - 0.5, { video: all.slice(10), audio: all.slice(0, newTokens - 10) });
  };
  const mask = (id: string, modality: "video" | "audio", changes: Partial<ModalityMask> = {}) => ({
    policy: {
      tokens: prompts[ids.indexOf(id)]!.tokens,
      rows: library.maskedRows([{ sampleId: id, masks: [{ modality, ratio: 0.7, seed: 9, ...changes }] }])[0]!,
    },
  });
  const goneKinds = ["grey", "blur", "clouds"].slice(0, choices.alike ?? 0);
  const alike = (id: string) => goneKinds.map((kind) => mask(id, "video", { ratio: 1, kind }));
  const isMasked = choices.views === "oppo";
  const groups = ids.map(
    (id, i): TrainGroup => ({
      prompt: { policy: prompts[i]! },
      alike: i < numPrompts / 2 ? alike(id) : [],
      masked: isMasked ? { video: mask(id, "video"), audio: mask(id, "audio") } : {},
      rollouts: Array.from({ length: groupSize }, rollout),
    }),
  );
  const ofBlanks = new Set(groups.flatMap((group) => (group.alike?.length ? group.rollouts : [])));
  const options: StepOptions = {
    ...defaultStepOptions,
    recomputes: models.recomputes,
    promptsPerMicroBatch: choices.promptsPerMicroBatch,
    viewPasses: choices.viewsAtOnce === 2 ? "one" : "each",
    views: (rollout) => (ofBlanks.has(rollout) ? alikeView(rollout) : viewSelectors[choices.views](rollout)),
    alikeWeight: goneKinds.length > 0 ? 1 : 0,
    perception: { ...defaultStepOptions.perception, weight: isMasked ? 0.03 : 0 },
    anchorWeight: isMasked ? 0.2 : 0,
  };
  const seen = { gradientBytes: 0, sampling: 0, gradients: 0, update: 0 };
  for (let step = 0; step < 2; step++) {
    const withGradients = live();
    optimizer.zeroGrad();
    seen.gradientBytes = withGradients - live();
    takePeak();
    const asked = prompts.map((prompt, i) => ({ sample: testSample(ids[i]!), prompt }));
    scope(() => sampleGroups(policy, asked, { groupSize, maxNewTokens: newTokens, temperature: 1, seed: 1, step }));
    seen.sampling = takePeak();
    scope(() => void accumulateGradients({ policy, reference }, groups, options));
    seen.gradients = takePeak();
    updateParameters(optimizer, learned, 1e-5, 1);
    seen.update = takePeak();
  }
  const reading = readCues(reference, library, ids[0]!, takePeak);
  for (const { masked, alike: others = [] } of groups) {
    for (const view of [...Object.values(masked), ...others]) view.policy.rows?.[Symbol.dispose]();
  }
  const task = await taskOf(model, choices, prompts[0]!.tokens.ids.length);
  library[Symbol.dispose]();
  optimizer.zeroGrad();
  return { task, standingBytes: live(), towers, reading, ...seen };
}

/** Peak while the reference reads. @returns bytes */
function readCues(reference: OmniModel, library: ClipLibrary, id: string, takePeak: () => number): number {
  const read = readingReference({ reference, library, promptText: () => "what does the person feel?" });
  const cues = Array.from({ length: cuesRead.cues }, (_, i) => ({
    kind: "video" as const,
    text: `a cue of the number ${i}`,
  }));
  const [rows] = library.maskedRows([{ sampleId: id, masks: [{ modality: "video", ratio: 0.7, seed: 9 }] }]);
  takePeak();
  read({ sample: testSample(id), modality: "video", rows: rows!, cues });
  const peak = takePeak();
  rows![Symbol.dispose]();
  return peak;
}

/** The same step as the estimate is told of it. */
async function taskOf(model: string, choices: StepChoices, promptTokens: number): Promise<MemoryTask> {
  const { trainable, dtype, recompute, prompts, promptsPerMicroBatch, newTokens, views, alike = 0 } = choices;
  const isMasked = views === "oppo";
  return {
    model: await readModelShape(model),
    learner: {
      ...{
        trainable,
        dtype,
        promptsPerMicroBatch,
        parts: ["decoder", "projector", "towers"],
        tokensPerChunk: null,
        recomputes: recompute,
      },
      lora: { rank, targets: null },
    },
    batch: {
      ...{ prompts, groupSize, promptTokens, newTokens },
      clipsAtOnce: Math.min(prompts, 16),
      media: { frames: numFrames, height: side, width: side, audioSeconds: seconds },
      ...{ samples: true, hasReference: true, usesReference: true },
      ...{
        viewsAtOnce: choices.viewsAtOnce ?? 1,
        maskedShare: 1,
        views: isMasked ? 2 : 0,
        anchor: isMasked ? "reference" : "none",
        shown: prompts,
        counterfactuals: {
          ...noCounterfactuals,
          reader: "reference",
          degradedShare: alike > 0 ? 0.5 : 0,
          mostAlike: { video: alike, audio: 0 },
        },
      },
    },
    place: placeOn("cpu", dtype),
  };
}
