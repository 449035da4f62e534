// Tokens per second of a model on a device, and the share of what its matrix products can reach there: prefill of a prompt
// with video and sound, decoding of a batch. The peak is measured, not taken from a data sheet: a large product in the same type.
// Usage: npm run bench:tokens -- --model DIR [--device cuda] [--dtype bfloat16] [--prompts 8] [--tokens 64] [--question-tokens 512] [--rounds 3] [--json]
import { parseArgs } from "node:util";
import type { MediaClip } from "../src/media/clip.ts";
import type { ModelPrompt, OmniModel } from "../src/models/omni-model.ts";
import { loadModel } from "../src/models/registry/registry.ts";
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

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      model: { type: "string" },
      device: { type: "string", default: cudaAvailable() ? "cuda" : "cpu" },
      dtype: { type: "string", default: "bfloat16" },
      prompts: { type: "string", default: "8" },
      tokens: { type: "string", default: "64" },
      "question-tokens": { type: "string", default: "512" },
      rounds: { type: "string", default: "3" },
      threads: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
    },
  });
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
  const result = scope(() => {
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
    const prefillSeconds = fastest(rounds, device, () => sample(1));
    const wholeSeconds = fastest(rounds, device, () => sample(numTokens));
    return {
      numDecoded: numNew - numPrompts,
      encodeSeconds,
      promptTokens: tokens.ids.length,
      prefillSeconds,
      decodeSeconds: wholeSeconds - prefillSeconds,
    };
  });
  const peak = peakOperations(device, dtype, rounds);
  const each = operationsPerToken(model);
  const prefillRate = (numPrompts * result.promptTokens) / result.prefillSeconds;
  const decodeRate = result.numDecoded / result.decodeSeconds;
  const report = {
    libtorch: torchVersion(),
    device,
    dtype,
    prompts: numPrompts,
    promptTokens: result.promptTokens,
    towersMs: 1000 * result.encodeSeconds,
    prefill: { tokensPerSecond: prefillRate, shareOfPeak: (prefillRate * each) / peak },
    decode: { tokensPerSecond: decodeRate, shareOfPeak: (decodeRate * each) / peak },
    peakTeraOperations: peak / 1e12,
  };
  if (values.json) {
    console.log(JSON.stringify(report, null, 2));
    return;
  }
  const rate = ({ tokensPerSecond, shareOfPeak }: { tokensPerSecond: number; shareOfPeak: number }) =>
    `${tokensPerSecond.toFixed(0)} tokens/s, ${(100 * shareOfPeak).toFixed(1)} % of peak`;
  console.log(
    `libtorch ${report.libtorch}, ${device}, ${dtype}; ${numPrompts} prompts of ${report.promptTokens} tokens`,
  );
  console.log(`towers  ${report.towersMs.toFixed(1)} ms for ${clipSeconds} s of video and sound`);
  console.log(`prefill ${rate(report.prefill)}`);
  console.log(`decode  ${rate(report.decode)}`);
  console.log(
    `peak    ${report.peakTeraOperations.toFixed(2)} tera-operations/s, a product of ${device === "cpu" ? peakSize.cpu : peakSize.cuda} squared`,
  );
}

await main();
