// SFT cold start: next-token cross-entropy on annotated reasonings and think-first probes. All examples of one clip share
// one prefix: the turns up to where they differ run once, the rest of the prompt and the answer are branches.
// B clips, N examples, C branch tokens (padded), D width, V vocabulary
import type { ModelPrompt, OmniModel, PromptTokens } from "../models/omni-model.ts";
import { backwardThroughTrunk, floatsLike, forEachChunk, indicesLike } from "../rl/chunks.ts";
import { Metrics } from "../rl/metrics.ts";
import { noGrad, op, scope, type Tensor } from "../tensor/index.ts";
import type { Objective } from "./run-steps.ts";

/** One question about a clip with the answer to learn. */
export interface SftExample {
  readonly prompt: ModelPrompt;
  /** Answer ids, the stop token included. */
  readonly target: Int32Array;
  /** Loss weight of every target id. */
  readonly weights: Float32Array;
}

/** How much lives at once; the result does not depend on it. */
export interface SftOptions {
  /** Clips whose graphs are alive at once; null: all. */
  readonly promptsPerMicroBatch: number | null;
  /** Tokens with vocabulary-sized rows at once; null: what fits well. */
  readonly tokensPerChunk: number | null;
  /** Whether layers are computed again on the way back. */
  readonly recomputes: boolean;
  /** Of the batch's target weights, those of the other processes added; left out: there is one process. */
  readonly sumWeights?: (own: number) => number;
}

const wholeBatch: SftOptions = { promptsPerMicroBatch: null, tokensPerChunk: null, recomputes: false };

/** Cross-entropy on the examples of a step's clips: a pure function of the step. */
export function sftObjective(
  model: OmniModel,
  batchOf: (step: number) => readonly (readonly SftExample[])[],
  options: SftOptions = wholeBatch,
): Objective {
  return {
    gradients: (step) => {
      const batch = batchOf(step);
      const metrics = new Metrics();
      metrics.sum("loss", sftGradients(model, batch, options));
      metrics.sum(
        "num_tokens",
        batch.flat().reduce((sum, { target }) => sum + target.length, 0),
      );
      return { metrics };
    },
  };
}

/** Adds the gradient of the weighted mean cross-entropy over all target tokens of the batch. @returns it; of several processes its part */
export function sftGradients(
  model: OmniModel,
  batch: readonly (readonly SftExample[])[],
  options: SftOptions = wholeBatch,
): number {
  return sumOfMicroBatches(batch, options, (part, totalWeight) =>
    microBatchGradients(model, part, totalWeight, options),
  );
}

/** The same mean without a gradient. */
export function sftLoss(
  model: OmniModel,
  batch: readonly (readonly SftExample[])[],
  options: SftOptions = wholeBatch,
): number {
  return sumOfMicroBatches(batch, options, (part, totalWeight) =>
    noGrad(() => {
      const branches = part.map((examples) => branchOff(model, examples));
      const hidden = model.hidden(
        branches.map((branch) => branch.prefix),
        branches.map((branch) => branch.completions),
      ); // [N, C, D]
      const wanted = targetsOf(part, branches, hidden.size(1));
      const rows = hidden.view([-1, hidden.size(2)]).indexSelect(0, indicesLike(hidden, wanted.positions)); // [T, D]
      return chunkedLoss(model, rows, wanted, totalWeight, chunkOf(model, options));
    }),
  );
}

function sumOfMicroBatches(
  batch: readonly (readonly SftExample[])[],
  { promptsPerMicroBatch, sumWeights = (own) => own }: SftOptions,
  lossOf: (part: readonly (readonly SftExample[])[], totalWeight: number) => number,
): number {
  let own = 0;
  for (const { weights } of batch.flat()) for (const weight of weights) own += weight;
  const totalWeight = sumWeights(own);
  const size = promptsPerMicroBatch ?? batch.length;
  let loss = 0;
  for (let start = 0; start < batch.length; start += size) {
    loss += scope(() => lossOf(batch.slice(start, start + size).flatMap(byLens), totalWeight));
  }
  return loss;
}

function chunkOf({ vocabSize }: OmniModel, { tokensPerChunk }: SftOptions): number {
  return tokensPerChunk ?? Math.max(1, Math.floor(maxLogits / vocabSize));
}

/** @param rows [T, D] of all targets @param onChunk gets the loss of every chunk, a scalar, while its graph is there */
function chunkedLoss(
  model: OmniModel,
  rows: Tensor,
  { targets, weights }: Targets,
  totalWeight: number,
  perChunk: number,
  onChunk: (loss: Tensor) => void = () => undefined,
): number {
  let sum = 0;
  forEachChunk(targets.length, perChunk, (start, count) => {
    const ids = indicesLike(rows, targets.subarray(start, start + count));
    const some = perChunk >= targets.length ? rows : rows.narrow(0, start, count);
    const logprobs = model.logits(some).logSoftmax(-1).gather(1, ids.unsqueeze(1)).squeeze(1); // [T]
    const loss = op.sum(logprobs.mul(floatsLike(rows, weights.subarray(start, start + count)))).mul(-1 / totalWeight);
    onChunk(loss);
    sum += loss.item();
  });
  return sum;
}

/** Logits that exist at once where nothing else was asked for: half a gigabyte. */
const maxLogits = 2 ** 27;

function microBatchGradients(
  model: OmniModel,
  batch: readonly (readonly SftExample[])[],
  totalWeight: number,
  options: SftOptions,
): number {
  const branches = batch.map((examples) => branchOff(model, examples));
  const trunk = model.trunk(
    branches.map((branch) => branch.prefix),
    branches.map((branch) => branch.completions),
    { recomputes: options.recomputes },
  );
  const { hidden } = trunk; // [N, C, D]
  const wanted = targetsOf(batch, branches, hidden.size(1));
  const rows = hidden.view([-1, hidden.size(2)]).indexSelect(0, indicesLike(hidden, wanted.positions)); // [T, D]
  const perChunk = chunkOf(model, options);
  const backward = (loss: Tensor) => loss.backward();
  if (wanted.positions.length <= perChunk) {
    const loss = chunkedLoss(model, rows, wanted, totalWeight, perChunk, backward);
    trunk.backward();
    return loss;
  }
  const cut = { rows, leaf: rows.detach(), trunk };
  cut.leaf.requiresGrad = true;
  const loss = chunkedLoss(model, cut.leaf, wanted, totalWeight, perChunk, backward);
  backwardThroughTrunk(cut);
  return loss;
}

interface Targets {
  /** Of hidden [N, C, D] seen as [N * C, D]. */
  readonly positions: Int32Array;
  readonly targets: Int32Array;
  readonly weights: Float32Array;
}

function targetsOf(
  batch: readonly (readonly SftExample[])[],
  branches: readonly Branches[],
  numColumns: number,
): Targets {
  const positions: number[] = [];
  const targets: number[] = [];
  const weights: number[] = [];
  let row = 0;
  for (const [b, examples] of batch.entries()) {
    for (const [e, example] of examples.entries()) {
      const start = branches[b]!.completions[e]!.length - example.target.length;
      for (const [t, id] of example.target.entries()) {
        positions.push(row * numColumns + start + t);
        targets.push(id);
        weights.push(example.weights[t]!);
      }
      row++;
    }
  }
  return {
    positions: Int32Array.from(positions),
    targets: Int32Array.from(targets),
    weights: Float32Array.from(weights),
  };
}

interface Branches {
  readonly prefix: ModelPrompt;
  readonly completions: readonly Int32Array[];
}

/** Examples of one clip whose prompts see its rows alike: they can share a prefix. */
function byLens(examples: readonly SftExample[]): SftExample[][] {
  const groups = new Map<string, SftExample[]>();
  for (const example of examples) {
    const { lens } = example.prompt.tokens;
    const own = groups.get(lens);
    if (own === undefined) groups.set(lens, [example]);
    else own.push(example);
  }
  return [...groups.values()];
}

/** Cuts the prompts of one clip, which all show the same rows, at their longest common prefix, which keeps at least one token for each branch. */
function branchOff(model: OmniModel, examples: readonly SftExample[]): Branches {
  const prompts = examples.map((example) => example.prompt.tokens);
  const shared = commonPrefix(prompts);
  const completions = examples.map((example, e) => {
    const rest = prompts[e]!.ids.subarray(shared);
    const branch = new Int32Array(rest.length + example.target.length);
    branch.set(rest);
    branch.set(example.target, rest.length);
    return branch;
  });
  return { prefix: { tokens: model.promptHead(prompts[0]!, shared), rows: examples[0]!.prompt.rows }, completions };
}

function commonPrefix(prompts: readonly PromptTokens[]): number {
  const first = prompts[0]!.ids;
  let length = Math.min(...prompts.map((prompt) => prompt.ids.length));
  for (const { ids } of prompts) {
    let same = 0;
    while (same < length && ids[same] === first[same]) same++;
    length = same;
  }
  return length;
}
