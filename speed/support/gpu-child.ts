// What speed/gpu.ts measures of one model, in a process of its own, so that its memory is its own: prefill, decoding and a whole
// OPPO step with an adapter, at the paper's batch. Prints one line of JSON.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { ClipLibrary } from "../../src/corpus/clips/clip-library.ts";
import type { MediaClip } from "../../src/media/clip.ts";
import { addAdapter } from "../../src/models/adapt.ts";
import { defaultLora } from "../../src/models/lora/config.ts";
import type { AdaptedModel, ModelPrompt } from "../../src/models/omni-model.ts";
import type { Thinker } from "../../src/models/qwen-omni/thinker.ts";
import { AdamW, updateParameters } from "../../src/nn/index.ts";
import { accumulateGradients } from "../../src/rl/gradients.ts";
import type { TrainGroup } from "../../src/rl/plan.ts";
import { sampleGroups } from "../../src/rl/rollout.ts";
import { defaultStepOptions, type StepOptions } from "../../src/rl/step-options.ts";
import type { RolloutGroup, ScoredRollout } from "../../src/rl/types.ts";
import { viewSelectors } from "../../src/rl/views.ts";
import { hasOperator, inference, op, scope, synchronize } from "../../src/tensor/index.ts";
import { noCounterfactuals } from "../../src/train/memory/counterfactuals.ts";
import { estimateMemory } from "../../src/train/memory/estimate.ts";
import { randomShape, randomThinker, type ThinkerSize } from "./random-thinker.ts";

/** What is asked of the process, as JSON in its first argument. */
export interface GpuTask {
  readonly size: ThinkerSize;
  readonly device: string;
  readonly dtype: "float32" | "bfloat16";
  readonly prompts: number;
  readonly groupSize: number;
  readonly promptTokens: number;
  readonly newTokens: number;
  readonly clip: { readonly frames: number; readonly side: number; readonly seconds: number };
  /** Of a square matrix product that shows the peak. */
  readonly peakSize: number;
}

export interface Rate {
  readonly seconds: number;
  readonly tokensPerSecond: number;
  /** Multiply-adds of the weights (the attention's are not counted) over those of a large product in that time. */
  readonly shareOfPeak: number;
}

export interface GpuResult {
  readonly task: GpuTask;
  readonly parameters: number;
  readonly loadSeconds: number;
  readonly peakTeraOperations: number;
  readonly promptTokens: number;
  readonly towersSeconds: number;
  readonly prefill: Rate;
  readonly decode: Rate;
  readonly step: {
    readonly rollouts: number;
    readonly masks: number;
    readonly gradients: number;
    readonly update: number;
    readonly seconds: number;
    readonly loss: number;
    readonly gradNorm: number;
    /** Of the gradients: ten passes over the step's tokens (three ways there, back and there again, and the reference). */
    readonly shareOfPeak: number;
  };
  readonly memory: {
    /** Most bytes of the device (of the process, on the host) beyond what an empty one takes. */
    readonly peakBytes: number;
    readonly estimatedBytes: number;
    /** Of the estimate: what always stands, and where the most comes on top. */
    readonly standingBytes: number;
    readonly largestPhase: string;
  };
}

const rank = 64;
const passes = 10;

/** What is in use now, or was at most: a GPU's libtorch keeps what it once had. */
function usedBytes(device: string): number {
  if (device === "cpu") return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) * 1024;
  const index = device.split(":")[1] ?? "0";
  const args = ["--query-gpu=memory.used", "--format=csv,noheader,nounits", "-i", index];
  return Number(execFileSync("nvidia-smi", args, { encoding: "utf8" })) * 2 ** 20;
}

function secondsOf(device: string, run: () => void): number {
  const start = performance.now();
  run();
  if (device !== "cpu") synchronize(device);
  return (performance.now() - start) / 1000;
}

function peakOperations({ device, dtype, peakSize: n }: GpuTask): number {
  return scope(() => {
    const a = op.ones([n, n], { dtype, device });
    const times = Array.from({ length: 4 }, () => secondsOf(device, () => inference(() => scope(() => void a.mm(a)))));
    return (2 * n ** 3) / Math.min(...times);
  });
}

function noise({ frames: numFrames, side, seconds }: GpuTask["clip"]): MediaClip {
  const frames = Uint8Array.from({ length: numFrames * side * side * 3 }, (_, i) => (i * 7 + (i >> 9)) % 256);
  const waveform = Float32Array.from({ length: seconds * 16_000 }, (_, i) => 0.3 * Math.sin(i / 20));
  const size = { height: side, width: side, fps: numFrames / seconds, durationSeconds: seconds };
  return { frames, numFrames, ...size, waveform, sampleRateHz: 16_000 };
}

/** Two operations for every weight of the decoder and the head, for one token. */
function operationsPerToken(model: Thinker): number {
  const weights = [...model.parameters()].filter(
    ([name, { ndim }]) => ndim === 2 && /^(model\.layers|lm_head)\./.test(name),
  );
  return 2 * weights.reduce((sum, [, { numel }]) => sum + numel, 0);
}

interface Bench {
  readonly task: GpuTask;
  readonly model: Thinker;
  readonly policy: AdaptedModel;
  readonly library: ClipLibrary;
  readonly prompts: readonly ModelPrompt[];
  readonly samples: ReturnType<typeof sampleOf>[];
}

function sampleOf(_: unknown, i: number) {
  return { id: `clip-${i}`, media: "", subtitle: "", labels: [], reasoning: "", cues: [] };
}

/** A question that fills the prompts up to the wanted length. */
function question(model: Thinker, clip: MediaClip, wanted: number): string {
  const features = model.features(clip);
  const short = model.promptTokens("a", features).ids.length;
  const word = model.encodeText(" a")[0]!;
  return model.decodePieces(new Int32Array(Math.max(1, wanted - short)).fill(word)).join("");
}

function sampled({ task, policy, prompts, samples }: Bench, maxNewTokens: number): RolloutGroup[] {
  const asked = prompts.map((prompt, i) => ({ sample: samples[i]!, prompt }));
  const options = { groupSize: task.groupSize, maxNewTokens, temperature: 1, seed: 1, step: 0 };
  return scope(() => sampleGroups(policy, asked, options));
}

/** Every rollout owns evidence: its first two fifths speak of the video, the next two of the audio. */
function scored(group: RolloutGroup): ScoredRollout[] {
  return group.rollouts.map((rollout, i) => {
    const places = Array.from(rollout.ids.keys());
    const [first, second] = [0.4, 0.8].map((share) => Math.ceil(share * places.length)) as [number, number];
    return {
      rollout,
      response: { think: null, answer: null, labels: [], wellFormed: false },
      ...{ clauses: [], routing: { cues: [], clauses: [], similarity: new Float32Array(0) } },
      rewards: { total: 0, parts: {} },
      advantage: i % 2 === 0 ? 1 : -1,
      evidence: {
        video: Int32Array.from(places.slice(0, first)),
        audio: Int32Array.from(places.slice(first, second)),
        ...{ clauseCues: new Int32Array(0), numTies: 0 },
      },
    };
  });
}

function step(bench: Bench, groups: readonly RolloutGroup[]) {
  const { task, model, policy, library, prompts, samples } = bench;
  const { device } = task;
  const trainable = [...policy.parameters().values()];
  for (const parameter of trainable) parameter.requiresGrad = true;
  using optimizer = new AdamW([{ parameters: trainable }], { lr: 2e-5 });
  const masked: ModelPrompt[][] = [];
  const masks = secondsOf(device, () => {
    for (const [i, prompt] of prompts.entries()) {
      const rows = (["video", "audio"] as const).map((modality) => {
        const mask = { modality, ratio: 0.7, seed: i };
        return library.maskedRows([{ sampleId: samples[i]!.id, masks: [mask] }])[0]!;
      });
      masked.push(rows.map((own) => ({ tokens: prompt.tokens, rows: own })));
    }
  });
  const trained = groups.map((group, i): TrainGroup => {
    const [video, audio] = masked[i]! as [ModelPrompt, ModelPrompt];
    const views = { video: { policy: video }, audio: { policy: audio } };
    return { prompt: { policy: prompts[i]! }, masked: views, rollouts: scored(group) };
  });
  const options: StepOptions = {
    ...defaultStepOptions,
    ...{ recomputes: true, promptsPerMicroBatch: 1, views: viewSelectors.oppo },
  };
  let loss = 0;
  const gradients = secondsOf(device, () => {
    loss = scope(() => accumulateGradients({ policy, reference: model }, trained, options)).values().loss!;
  });
  let gradNorm = 0;
  const update = secondsOf(device, () => {
    gradNorm = updateParameters(optimizer, trainable, 2e-5, 1).gradNorm;
  });
  for (const { rows } of masked.flat()) rows?.[Symbol.dispose]();
  optimizer.zeroGrad();
  return { masks, gradients, update, loss, gradNorm };
}

async function estimated({ task, model }: Bench, promptTokens: number) {
  const { prompts, groupSize, newTokens, clip, dtype } = task;
  return estimateMemory({
    model: await randomShape(task.size),
    learner: {
      ...{ trainable: "lora", dtype, promptsPerMicroBatch: 1, tokensPerChunk: null, recomputes: true },
      parts: ["decoder", "projector", "towers"],
      lora: { rank, targets: null },
    },
    batch: {
      ...{ prompts, groupSize, promptTokens, newTokens, clipsAtOnce: Math.min(prompts, 16) },
      media: { frames: clip.frames, height: clip.side, width: clip.side, audioSeconds: clip.seconds },
      ...{
        samples: true,
        hasReference: true,
        usesReference: true,
        views: 2,
        viewsAtOnce: 1,
        maskedShare: 1,
        anchor: "none",
        shown: prompts,
        counterfactuals: noCounterfactuals,
      },
    },
    place: {
      kind: model.device === "cpu" ? "cpu" : "cuda",
      ...{ fusesAttention: hasOperator("scaled_dot_product_attention"), gpus: 1 },
    },
  });
}

async function measure(task: GpuTask): Promise<GpuResult> {
  const { device, dtype } = task;
  const peak = peakOperations(task);
  const empty = usedBytes(device);
  const start = performance.now();
  using model = await randomThinker(task.size, device, dtype);
  const loadSeconds = secondsOf(device, () => {}) + (performance.now() - start) / 1000;
  using policy = addAdapter(model, { ...defaultLora, rank, alpha: rank }, 1);
  using library = new ClipLibrary(model);
  const clip = model.fitClip(noise(task.clip));
  const samples = Array.from({ length: task.prompts }, sampleOf);
  const towersSeconds = secondsOf(device, () => library.add(samples.map((sample) => ({ sample, clip }))));
  const text = question(model, clip, task.promptTokens);
  const bench: Bench = {
    task,
    model,
    policy,
    library,
    samples,
    prompts: samples.map(({ id }) => library.prompt(id, text)),
  };
  const promptTokens = bench.prompts[0]!.tokens.ids.length;
  sampled(bench, 2); // kernels are loaded when they are first called
  const prefill = secondsOf(device, () => void sampled(bench, 1));
  let groups: RolloutGroup[] = [];
  const rollouts = secondsOf(device, () => {
    groups = sampled(bench, task.newTokens);
  });
  const done = step(bench, groups);
  const each = operationsPerToken(model);
  const numNew = groups.flatMap((group) => group.rollouts).reduce((sum, { ids }) => sum + ids.length, 0);
  const rate = (numTokens: number, seconds: number): Rate => ({
    ...{ seconds, tokensPerSecond: numTokens / seconds, shareOfPeak: (numTokens * each) / seconds / peak },
  });
  const stepTokens = task.prompts * promptTokens + numNew;
  const estimate = await estimated(bench, promptTokens);
  return {
    ...{ task, loadSeconds, peakTeraOperations: peak / 1e12, promptTokens, towersSeconds },
    parameters: [...model.parameters().values()].reduce((sum, { numel }) => sum + numel, 0),
    prefill: rate(task.prompts * promptTokens, prefill),
    decode: rate(numNew - task.prompts * task.groupSize, rollouts - prefill),
    step: {
      ...{ rollouts, ...done, seconds: rollouts + done.masks + done.gradients + done.update },
      shareOfPeak: (passes * stepTokens * each) / done.gradients / peak,
    },
    memory: {
      peakBytes: usedBytes(device) - empty,
      estimatedBytes: estimate.peakBytes,
      standingBytes: estimate.standingBytes,
      largestPhase: estimate.largest.name,
    },
  };
}

console.log(JSON.stringify(await measure(JSON.parse(process.argv[2]!) as GpuTask)));
