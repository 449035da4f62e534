// Chooses the next token of every row from its logits: repetition penalty, temperature, top-k, top-p (the order of Hugging
// Face), then inverse-CDF with one uniform per row. Uniforms are a pure function of (seed, step): a row's draws do not
// depend on which other rows are in the batch.
// N rows, V vocabulary
import { indices, op, type Tensor, tensor } from "../../tensor/index.ts";
import type { SampleOptions } from "./sampling.ts";

export type ChoiceRules = Pick<
  SampleOptions,
  "temperature" | "topK" | "topP" | "repetitionPenalty" | "numLikeliest" | "logprobTemperature"
>;

export interface Choice {
  /** int64 [N] */
  readonly tokens: Tensor;
  /** log pi(token) of the untouched logits at logprobTemperature, float32 [N]. */
  readonly logprobs: Tensor;
  /** The likeliest ids int64 [N, n] and their log-probabilities float32 [N, n], descending; null unless asked for. */
  readonly likeliest: { readonly ids: Tensor; readonly logprobs: Tensor } | null;
}

/** Uniform in (0, 1) of a seed and a step, with 23 bits. */
export function uniformAt(seed: number, step: number): number {
  const low = seed >>> 0;
  const high = Math.floor(seed / 2 ** 32) >>> 0;
  let hash = mix32(low ^ 0x9e3779b9);
  hash = mix32(hash ^ high ^ 0x85ebca6b);
  hash = mix32((hash + Math.imul(step + 1, 0x9e3779b1)) >>> 0);
  return ((hash >>> 9) + 0.5) / 2 ** 23;
}

/** Finaliser of MurmurHash3: every input bit reaches every output bit. */
function mix32(value: number): number {
  let x = value >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/**
 * The points that rows of these seeds draw at in `count` steps from step `first` on, on a device in one copy: float32
 * [count, N, 1], below 1.
 */
export function drawnPoints(seeds: readonly number[], first: number, count: number, device: string): Tensor {
  const points = new Float32Array(count * seeds.length);
  for (let step = 0, i = 0; step < count; step++) {
    for (const seed of seeds) points[i++] = Math.fround(uniformAt(seed, first + step)) * BELOW_ONE;
  }
  return tensor(points, [count, seeds.length, 1], { device });
}

/** Keeps the drawn point strictly below the last value of a cumulative sum, whatever its rounding. */
const BELOW_ONE = 1 - 2 ** -20;

/**
 * @param logits float32 [N, V]
 * @param banned ids that are never chosen, int64 [n], or null
 * @param seen 1 where a row's prompt or completion has the id, [N, V]; null without a repetition penalty
 * @param points drawnPoints of this step, [N, 1]; not needed when greedy
 */
export function chooseTokens(
  logits: Tensor,
  rules: ChoiceRules,
  banned: Tensor | null,
  seen: Tensor | null,
  points: Tensor | null,
): Choice {
  const logSoftmax = logits.logSoftmax(-1);
  let scores = seen ? penalised(logits, seen, rules.repetitionPenalty!) : logSoftmax;
  if (banned) scores = scores.clone().indexFill_(1, banned, Number.NEGATIVE_INFINITY);
  const plain = rules.temperature === 1 && rules.topK === undefined && rules.topP === undefined && !seen;
  let tokens: Tensor;
  if (rules.temperature === 0 || points === null) tokens = scores.argmax({ dim: -1 });
  else tokens = plain ? inverseCdf(scores.exp(), points) : draw(scores, rules, points);
  const { logprobTemperature = 1, numLikeliest = 0 } = rules;
  const told = logprobTemperature === 1 ? logSoftmax : logits.div(logprobTemperature).logSoftmax(-1);
  const logprobs = told.gather(1, tokens.unsqueeze(1)).squeeze(1);
  return { tokens, logprobs, likeliest: likeliestOf(told, numLikeliest) };
}

function likeliestOf(logSoftmax: Tensor, count: number): Choice["likeliest"] {
  if (count === 0) return null;
  const [logprobs, ids] = logSoftmax.topk(Math.min(count, logSoftmax.size(1)), { dim: -1 });
  return { ids, logprobs };
}

function penalised(logits: Tensor, seen: Tensor, penalty: number): Tensor {
  const changed = op.where(logits.lt(0), logits.mul(penalty), logits.div(penalty));
  return op.where(seen.gt(0), changed, logits);
}

function draw(scores: Tensor, { temperature, topK, topP }: ChoiceRules, points: Tensor): Tensor {
  const scaled = temperature === 1 ? scores : scores.div(temperature);
  if (topK === undefined && (topP === undefined || topP >= 1)) return inverseCdf(scaled.softmax(-1), points);
  const vocabSize = scores.size(1);
  const kept = Math.min(topK ?? vocabSize, vocabSize);
  const [values, ids] = scaled.topk(kept, { dim: -1 }); // descending
  let probabilities = values.softmax(-1);
  if (topP !== undefined && topP < 1) {
    // A token stays while the probability before it is below topP: the first one always does.
    const before = probabilities.cumsum(-1).sub(probabilities);
    probabilities = probabilities.mul(before.lt(topP));
  }
  return ids.gather(1, inverseCdf(probabilities, points).unsqueeze(1)).squeeze(1);
}

/** Index of the first cumulative probability above the drawn point, int64 [N]; weights need not sum to 1. */
function inverseCdf(weights: Tensor, points: Tensor): Tensor {
  const cumulative = weights.cumsum(-1);
  const last = weights.size(1) - 1;
  const drawn = cumulative.narrow(1, last, 1).mul(points);
  return op.searchsorted(cumulative, drawn, { right: true }).squeeze(1).clamp_({ max: last });
}

/** 1 at every id of every row, [N, V]: the start of a repetition penalty's memory. */
export function seenIds(rows: readonly Int32Array[], vocabSize: number, device: string): Tensor {
  const seen = op.zeros([rows.length, vocabSize], { dtype: "float32", device });
  rows.forEach((ids, row) => {
    seen.select(0, row).indexFill_(0, indices(ids).to({ device }), 1);
  });
  return seen;
}
