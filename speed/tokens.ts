// Tokens per second of a model on a device, and the share of what its matrix products can reach there: prefill of a prompt
// with video and sound, decoding of a batch. The peak is measured, not taken from a data sheet: a large product in the same type.
// Usage: npm run bench:tokens -- --model DIR [--device cuda] [--dtype bfloat16] [--prompts 8] [--tokens 64] [--question-tokens 512] [--rounds 3] [--json]
import type { MediaClip } from "../src/media/clip.ts";
import type { ModelPrompt, OmniModel } from "../src/models/omni-model.ts";
import { loadModel } from "../src/models/registry.ts";
import {
  cudaAvailable,
  type DType,
  inference,
  noGrad,
  op,
  scope,
  setNumThreads,
  synchronize,
  torchVersion,
} from "../src/tensor/index.ts";
import { readOptions } from "./support/options.ts";

const sampleRateHz = 16000;
const clipSeconds = 4;
/** A product that keeps a large GPU busy for milliseconds; a CPU does a smaller one. */
const peakSize = { cuda: 8192, cpu: 1024 } as const;

function clip(): MediaClip {
  const side = 336;
  const numFrames = 2 * clipSeconds;
  const frames = Uint8Array.from({ length: numFrames * side * side * 3 }, (_, i) => (i * 7 + (i >> 9)) % 256);
  const waveform = Float32Array.from({ length: clipSeconds * sampleRateHz }, (_, i) => 0.3 * Math.sin(i / 20));
  return { frames, numFrames, height: side, width: side, fps: 2, waveform, sampleRateHz, durationSeconds: clipSeconds };
}

/** Multiply-adds of the decoder and head for one token, times two. */
function operationsPerToken(model: OmniModel): number {
  let numWeights = 0;
  for (const [name, weight] of model.parameters()) {
    const isProjection = name.startsWith("model.layers.") && weight.ndim === 2;
    if (isProjection || name === "lm_head.weight") numWeights += weight.numel;
  }
  return 2 * numWeights;
}

/** Seconds of the fastest of `rounds` runs, after one to warm up. */
function fastest(rounds: number, device: string, run: () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = -1; round < rounds; round++) {
    const start = performance.now();
    inference(() => scope(run));
    if (device !== "cpu") synchronize(device);
    if (round >= 0) best = Math.min(best, (performance.now() - start) / 1000);
  }
  return best;
}

function peakOperations(device: string, dtype: DType, rounds: number): number {
  const size = device === "cpu" ? peakSize.cpu : peakSize.cuda;
  return scope(() => {
    const a = op.ones([size, size], { dtype, device });
    return (2 * size ** 3) / fastest(rounds, device, () => void a.mm(a));
  });
}

const options = {
  model: { help: "the model to measure", value: "folder" },
  device: { help: "where it runs", value: "name", default: cudaAvailable() ? "cuda" : "cpu" },
  dtype: { help: "of its weights", value: "type", default: "bfloat16" },
  prompts: { help: "prompts of a batch", value: "count", default: "8" },
  tokens: { help: "tokens that are generated", value: "count", default: "64" },
  "question-tokens": { help: "tokens of text in a prompt", value: "count", default: "512" },
  rounds: { help: "measurements; the best counts", value: "count", default: "3" },
  threads: { help: "threads of the work", value: "count", default: "1" },
} as const;

interface Sizes {
  readonly numPrompts: number;
  readonly numTokens: number;
  readonly questionTokens: number;
  readonly rounds: number;
}

/** Seconds of the towers, of a prefill and of decoding; the best of the rounds. */
function measure(model: OmniModel, device: string, { numPrompts, numTokens, questionTokens, rounds }: Sizes) {
  return scope(() => {
    const features = model.features(model.fitClip(clip()));
    const encodeSeconds = fastest(rounds, device, () => void model.encode([features]));
    const rows = noGrad(() => model.encode([features]))[0]!;
    const question = model.decodePieces(new Int32Array(questionTokens).fill(model.encodeText(" a")[0]!)).join("");
    const tokens = model.promptTokens(question, features);
    const prompts = Array.from({ length: numPrompts }, (): ModelPrompt => ({ tokens, rows }));
    let numNew = 0; // a sequence may end early
    const sample = (maxNewTokens: number) => {
      const sampled = model.sample(prompts, { numSamples: 1, maxNewTokens, temperature: 0 });
      numNew = sampled.flat().reduce((sum, { ids }) => sum + ids.length, 0);
    };
    const oneByOne = (maxNewTokens: number) => {
      for (const prompt of prompts) model.sample([prompt], { numSamples: 1, maxNewTokens, temperature: 0 });
    };
    const prefillSeconds = fastest(rounds, device, () => sample(1));
    const alonePrefillSeconds = fastest(rounds, device, () => oneByOne(1));
    const wholeSeconds = fastest(rounds, device, () => sample(numTokens));
    const aloneSeconds = fastest(rounds, device, () => oneByOne(numTokens));
    return {
      numDecoded: numNew - numPrompts,
      encodeSeconds,
      promptTokens: tokens.ids.length,
      prefillSeconds,
      decodeSeconds: wholeSeconds - prefillSeconds,
      overOneByOne: {
        whole: aloneSeconds / wholeSeconds,
        decode: (aloneSeconds - alonePrefillSeconds) / (wholeSeconds - prefillSeconds),
      },
    };
  });
}

async function main(): Promise<void> {
  const values = readOptions(
    "bench:tokens",
    "Tokens per second of a model on a device, and the share of what its matrix products reach there.",
    options,
  );
  if (values.model === undefined) {
    console.error(
      "bench:tokens: expected --model DIR, got none. Make one: npx oppo init --arch qwen2.5-omni-3b --random DIR",
    );
    process.exitCode = 2;
    return;
  }
  const { device } = values;
  const dtype = values.dtype as DType;
  const [numPrompts, numTokens, questionTokens, rounds] = [
    values.prompts,
    values.tokens,
    values["question-tokens"],
    values.rounds,
  ].map(Number) as [number, number, number, number];
  setNumThreads(Number(values.threads));
  using model = await loadModel(values.model, { device, dtype });
  const result = measure(model, device, { numPrompts, numTokens, questionTokens, rounds });
  const peak = peakOperations(device, dtype, rounds);
  const each = operationsPerToken(model);
  const prefillRate = (numPrompts * result.promptTokens) / result.prefillSeconds;
  const decodeRate = result.numDecoded / result.decodeSeconds;
  const report: TokensReport = {
    libtorch: torchVersion(),
    device,
    dtype,
    prompts: numPrompts,
    promptTokens: result.promptTokens,
    towersMs: 1000 * result.encodeSeconds,
    prefill: { tokensPerSecond: prefillRate, shareOfPeak: (prefillRate * each) / peak },
    decode: { tokensPerSecond: decodeRate, shareOfPeak: (decodeRate * each) / peak },
    overOneByOne: result.overOneByOne,
    peakTeraOperations: peak / 1e12,
  };
  if (values.json) {
    console.log(JSON.stringify(report, null, 2));
    return;
  }
  printReport(report);
}

interface Rate {
  readonly tokensPerSecond: number;
  readonly shareOfPeak: number;
}

interface TokensReport {
  readonly libtorch: string;
  readonly device: string;
  readonly dtype: string;
  readonly prompts: number;
  readonly promptTokens: number;
  readonly towersMs: number;
  readonly prefill: Rate;
  readonly decode: Rate;
  /** The batch's tokens per second over those of the same prompts one at a time, each with its cache. */
  readonly overOneByOne: { readonly whole: number; readonly decode: number };
  readonly peakTeraOperations: number;
}

function printReport(report: TokensReport): void {
  const rate = ({ tokensPerSecond, shareOfPeak }: Rate) =>
    `${tokensPerSecond.toFixed(0)} tokens/s, ${(100 * shareOfPeak).toFixed(1)} % of peak`;
  console.log(
    `libtorch ${report.libtorch}, ${report.device}, ${report.dtype}; ${report.prompts} prompts of ${report.promptTokens} tokens`,
  );
  console.log(`towers  ${report.towersMs.toFixed(1)} ms for ${clipSeconds} s of video and sound`);
  console.log(`prefill ${rate(report.prefill)}`);
  console.log(`decode  ${rate(report.decode)}`);
  const { whole, decode } = report.overOneByOne;
  console.log(
    `a batch of ${report.prompts} gives ${decode.toFixed(2)} times the tokens per second of one prompt at a time, with its prefill ${whole.toFixed(2)} times`,
  );
  console.log(
    `peak    ${report.peakTeraOperations.toFixed(2)} tera-operations/s, a product of ${report.device === "cpu" ? peakSize.cpu : peakSize.cuda} squared`,
  );
}

await main();
