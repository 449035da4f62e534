// The smallest thing that is an OmniModel: h = tanh(E[previous] + U E[the one before] + means of the media rows + mean of
// the prompt), logits = h H^T. Autoregressive, sees video and audio, every parameter differentiable, any float dtype.
// B prompts, N rollouts, C longest completion, D width, V vocabulary

import assert from "node:assert/strict";
import { graphTrunk } from "../../src/models/decoder/trunk.ts";
import type {
  ClipRows,
  ModelPrompt,
  OmniModel,
  PromptTokens,
  SampledCompletion,
  SampleOptions,
} from "../../src/models/omni-model.ts";
import { createRandom } from "../../src/random.ts";
import { Generator, indices, keep, noGrad, op, scope, type Tensor, tensor } from "../../src/tensor/index.ts";
import { onDevice, testDevice } from "./device.ts";

export const tinyVocab = 11;
export const tinyWidth = 6;

export interface TinyPolicy extends OmniModel {
  /** How often hidden() ran, and on how many completion tokens. */
  readonly calls: { completions: number; tokens: number; forwards: number };
}

export function tinyPolicy(seed: number, dtype: "float32" | "float64" = "float64", scale = 0.8): TinyPolicy {
  const parameters = makeParameters(seed, dtype, scale);
  const { embedding, mixer, head } = parameters;
  const calls = { completions: 0, tokens: 0, forwards: 0 };

  /** [C, D] of one completion. */
  const branch = (prompt: ModelPrompt, completion: Int32Array): Tensor => {
    const { ids } = prompt.tokens;
    const start = [ids[ids.length - 2]!, ids[ids.length - 1]!];
    const previous = [...start, ...completion];
    const length = completion.length;
    const embed = (all: readonly number[] | Int32Array) => op.embedding(embedding, onDevice(indices(all)));
    let x = embed(previous.slice(1, 1 + length));
    x = x.add(embed(previous.slice(0, length)).matmul(mixer));
    x = x.add(embed(ids).mean(0));
    for (const rows of [prompt.rows?.video, prompt.rows?.audio]) if (rows) x = x.add(rows.mean(0));
    return x.tanh();
  };

  const hidden: OmniModel["hidden"] = (prompts, completions) => {
    const longest = Math.max(...completions.flat().map(({ length }) => length));
    calls.forwards++;
    const rows = prompts.flatMap((prompt, b) =>
      completions[b]!.map((completion) => {
        calls.completions++;
        calls.tokens += completion.length;
        const padded = new Int32Array(longest);
        padded.set(completion);
        return branch(prompt, padded);
      }),
    );
    return op.stack(rows, { dim: 0 }); // [N, C, D]
  };
  const logits = (h: Tensor): Tensor => h.matmul(head.t());

  return {
    vocabSize: tinyVocab,
    stopIds: [0],
    notices: [],
    directory: "nowhere",
    device: testDevice,
    dtype,
    videoTime: "fixed",
    fitKey: "any",
    layouts: ["separate"],
    calls,
    partOf: () => "language model",
    isProjector: () => false,
    parameters: () => new Map(Object.entries(parameters)),
    sampling: { fps: 2, minFrames: 4, maxFrames: 768 },
    fitting: { fps: 2, minFrames: 4, maxFrames: 768 },
    imageRange: { minPixels: 1, maxPixels: 1e6 },
    fitClip: (clip) => clip,
    fitImage: (image) => image,
    features: () => ({ video: null, audio: null }),
    shapeOf: (features) => features,
    encode: (features) => features.map(() => clipRows(null, null)),
    promptTokens: (text) => promptTokens([...text].map((letter) => letter.charCodeAt(0) % tinyVocab)),
    chatTokens: (turns) => {
      const texts = turns.flatMap(({ parts }) => parts.map((part) => (part.type === "text" ? part.text : "")));
      return promptTokens([...texts.join("")].map((letter) => letter.charCodeAt(0) % tinyVocab));
    },
    promptHead: ({ ids }, length) => promptTokens([...ids.subarray(0, length)]),
    encodeText: (text) => Int32Array.from(text, (letter) => letter.charCodeAt(0) % tinyVocab),
    decodePieces: (ids) => Array.from(ids, (id) => String.fromCharCode(97 + id)),
    hidden,
    trunk: (prompts, completions) => graphTrunk(hidden(prompts, completions)),
    logits,
    sample: (prompts, options) => samplePrompts(prompts, options, (prompt, ids) => nextLogprobs(prompt, ids)),
    linearLayers: () => [],
    withAdapter: () => assert.fail("a tiny policy has no layer to adapt"),
    save: () => assert.fail("a tiny policy is not saved"),
    [Symbol.dispose]: () => {
      for (const parameter of Object.values(parameters)) parameter.dispose();
    },
  };

  function nextLogprobs(prompt: ModelPrompt, ids: readonly number[]): Float64Array {
    return noGrad(() =>
      scope(() => {
        const row = branch(prompt, Int32Array.from([...ids, 0])).narrow(0, ids.length, 1);
        return logits(row).logSoftmax(-1).view([-1]).toFloat64Array();
      }),
    );
  }
}

function makeParameters(seed: number, dtype: "float32" | "float64", scale: number) {
  const generator = new Generator(seed);
  const normal = (shape: number[]): Tensor => {
    const parameter = keep(scope(() => onDevice(op.randn(shape, { dtype, generator }).mul(scale))));
    parameter.requiresGrad = true;
    return parameter;
  };
  const parameters = {
    embedding: normal([tinyVocab, tinyWidth]),
    mixer: normal([tinyWidth, tinyWidth]),
    head: normal([tinyVocab, tinyWidth]),
  };
  generator[Symbol.dispose]();
  return parameters;
}

function samplePrompts(
  prompts: readonly ModelPrompt[],
  options: SampleOptions,
  next: (prompt: ModelPrompt, ids: readonly number[]) => Float64Array,
): SampledCompletion[][] {
  return prompts.map((prompt, p) =>
    Array.from({ length: options.numSamples }, (_, i) => {
      const random = createRandom(options.seeds?.[p * options.numSamples + i] ?? 0);
      const ids: number[] = [];
      const logprobs: number[] = [];
      while (ids.length < options.maxNewTokens && ids[ids.length - 1] !== 0) {
        const logp = next(prompt, ids);
        let left = random.next();
        let id = 0;
        while (id < logp.length - 1 && left >= Math.exp(logp[id]!)) left -= Math.exp(logp[id++]!);
        ids.push(id);
        logprobs.push(logp[id]!);
      }
      return {
        ids: Int32Array.from(ids),
        logprobs: Float32Array.from(logprobs),
        truncated: ids[ids.length - 1] !== 0,
      };
    }),
  );
}

export function promptTokens(ids: readonly number[]): PromptTokens {
  return { ids: Int32Array.from(ids) } as PromptTokens;
}

export function clipRows(video: Tensor | null, audio: Tensor | null): ClipRows {
  return {
    video,
    audio,
    [Symbol.dispose]: () => {
      video?.dispose();
      audio?.dispose();
    },
  };
}

/** Media rows [count, D] with numbers from a seed, kept. */
export function randomRows(seed: number, count = 2, dtype: "float32" | "float64" = "float64"): Tensor {
  const random = createRandom(seed);
  const data = Float64Array.from({ length: count * tinyWidth }, () => 2 * random.next() - 1);
  return keep(tensor(data, [count, tinyWidth], { dtype, device: testDevice }));
}
