// The work that speed/grpo.ts times, through the real code: a tiny thinker, sampleGroups, accumulateGradients. Text only, prompts of
// random tokens, no stop token (every completion runs to the limit), rewards from the ids alone.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sample } from "../../src/data/sample.ts";
import { buildTheatreTokenizer } from "../../src/data/theatre/tokenizer.ts";
import type { ThinkerTokens } from "../../src/models/qwen-omni/clips.ts";
import { initTiny } from "../../src/models/qwen-omni/init.ts";
import { loadThinker } from "../../src/models/qwen-omni/load.ts";
import type { Thinker } from "../../src/models/qwen-omni/thinker.ts";
import { AdamW, updateParameters } from "../../src/nn/index.ts";
import { groupAdvantages } from "../../src/rl/advantage.ts";
import { accumulateGradients } from "../../src/rl/gradients.ts";
import type { TrainGroup } from "../../src/rl/plan.ts";
import { type RolloutPrompt, sampleGroups } from "../../src/rl/rollout.ts";
import { defaultStepOptions } from "../../src/rl/step-options.ts";
import type { Rollout, RolloutGroup } from "../../src/rl/types.ts";
import { scope, type Tensor } from "../../src/tensor/index.ts";

/** The shape that the recorded TRL figures belong to. speed/peers/grpo.py has the same numbers. */
export const shape = {
  width: 256,
  layers: 4,
  heads: 4,
  keyHeads: 2,
  inner: 1024,
  vocabulary: 2000,
  prompts: 16,
  promptTokens: 120,
  groupSize: 4,
  newTokens: 64,
  referenceKlWeight: 0.04,
  learningRate: 1e-5,
} as const;

/** Seconds of one step by the clock that was given. */
export interface StepTimes {
  readonly rollout: number;
  /** Trunk forwards over prompts and completions: policy and reference. */
  readonly scoring: number;
  /** Vocabulary rows and loss with their backward, the trunk's backward, clipping, AdamW. */
  readonly update: number;
  /** Everything, from the prompts to the changed parameters. */
  readonly total: number;
}

export interface StepResult {
  readonly times: StepTimes;
  readonly loss: number;
  readonly kl: number;
  /** Largest difference between the sampler's and the trainer's log-probability of a token. */
  readonly samplingDifference: number;
}

const maxGradNorm = 1;

export class GrpoWork implements Disposable {
  readonly #policy: Thinker;
  readonly #reference: Thinker;
  readonly #trainable: readonly Tensor[];
  readonly #optimizer: AdamW;
  readonly #clock: () => number;

  constructor(seed: number, clock: () => number) {
    this.#policy = thinkerWithoutStop(seed);
    this.#reference = thinkerWithoutStop(seed);
    this.#clock = clock;
    const isText = (name: string) => name.startsWith("model.") || name.startsWith("lm_head.");
    this.#trainable = [...this.#policy.parameters()].filter(([name]) => isText(name)).map(([, parameter]) => parameter);
    for (const parameter of this.#trainable) parameter.requiresGrad = true;
    this.#optimizer = new AdamW([{ parameters: this.#trainable }], { lr: shape.learningRate });
  }

  /** One GRPO step: rollouts, rewards, update. */
  step(step: number): StepResult {
    const clock = this.#clock;
    const start = clock();
    const prompts = Array.from({ length: shape.prompts }, (_, p) => promptOf(step, p));
    const options = { groupSize: shape.groupSize, maxNewTokens: shape.newTokens, temperature: 1, seed: 1, step };
    const sampled = scope(() => sampleGroups(this.#policy, prompts, options));
    const sampledAt = clock();
    const groups = trainGroups(prompts, sampled);
    const models = { policy: this.#policy, reference: this.#reference, clock };
    const stepOptions = {
      ...defaultStepOptions,
      maxCompletionTokens: shape.newTokens,
      referenceKl: { weight: shape.referenceKlWeight, estimator: "k3" as const },
    };
    this.#optimizer.zeroGrad();
    const metrics = scope(() => accumulateGradients(models, groups, stepOptions)).values();
    updateParameters(this.#optimizer, this.#trainable, shape.learningRate, maxGradNorm);
    const total = clock() - start;
    const rollout = sampledAt - start;
    const scoring = metrics["timing_s/fwd_full"]! + metrics["timing_s/ref_logp"]!;
    return {
      times: { rollout, scoring, update: total - rollout - scoring, total },
      loss: metrics.loss!,
      kl: metrics.kl!,
      samplingDifference: metrics["sampling/sampling_logp_difference/max"]!,
    };
  }

  [Symbol.dispose](): void {
    this.#optimizer[Symbol.dispose]();
    this.#policy[Symbol.dispose]();
    this.#reference[Symbol.dispose]();
  }
}

/** A fresh thinker of the shape; its towers are as small as they can be and never run. */
function thinkerWithoutStop(seed: number): Thinker {
  const directory = mkdtempSync(join(tmpdir(), "oppo-bench-"));
  try {
    const headDim = shape.width / shape.heads;
    const [time, rest] = [headDim / 8, (3 * headDim) / 16];
    initTiny(directory, buildTheatreTokenizer(), seed, {
      text_config: {
        hidden_size: shape.width,
        num_hidden_layers: shape.layers,
        num_attention_heads: shape.heads,
        num_key_value_heads: shape.keyHeads,
        head_dim: headDim,
        intermediate_size: shape.inner,
        vocab_size: shape.vocabulary,
        rope_scaling: { mrope_section: [time, rest, rest], rope_type: "default", type: "default" },
      },
      audio_config: { encoder_layers: 1, output_dim: shape.width },
      vision_config: { depth: 1, fullatt_block_indexes: [0], out_hidden_size: shape.width },
    });
    const path = join(directory, "generation_config.json");
    const generation = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    writeFileSync(path, JSON.stringify({ ...generation, eos_token_id: [] }));
    return loadThinker(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Ids below the theatre tokenizer's smallest special token. */
const plainIds = 500;

function promptOf(step: number, p: number): RolloutPrompt {
  const length = shape.promptTokens;
  const ids = Int32Array.from(
    { length },
    (_, i) => (i * 7919 + (step * shape.prompts + p) * 104729 + i * i) % plainIds,
  );
  const positions = Int32Array.from({ length: 3 * length }, (_, i) => i % length);
  return { sample: sampleOf(`${step}-${p}`), prompt: { tokens: { ids, positions } as ThinkerTokens, rows: null } };
}

function sampleOf(id: string): Sample {
  return { id, media: "", subtitle: "", labels: [], reasoning: "", cues: [] };
}

/** Rewards the share of even ids: differs within a group, costs nothing. */
function reward({ ids }: Rollout): number {
  return ids.reduce((sum, id) => sum + ((id + 1) % 2), 0) / ids.length;
}

const none = new Int32Array(0);

function trainGroups(prompts: readonly RolloutPrompt[], sampled: readonly RolloutGroup[]): TrainGroup[] {
  const advantages = groupAdvantages(sampled.map(({ rollouts }) => rollouts.map(reward)));
  return sampled.map(({ rollouts }, g) => ({
    prompt: { policy: prompts[g]!.prompt },
    masked: {},
    rollouts: rollouts.map((rollout, i) => ({
      rollout,
      response: { think: null, answer: null, labels: [], wellFormed: false },
      clauses: [],
      routing: { cues: [], clauses: [], similarity: new Float32Array(0) },
      rewards: { total: reward(rollout), parts: {} },
      advantage: advantages[g]![i]!,
      evidence: { video: none, audio: none, clauseCues: none, numTies: 0 },
    })),
  }));
}
