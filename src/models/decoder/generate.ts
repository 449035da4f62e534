// Batched decoding: every prompt is prefilled once, its G sequences share one cache, and all sequences advance together,
// one token per step. Finished sequences are compacted away now and then.
// B prompts, G branches per prompt, N = B * G rows, H key heads, Q query heads per key head, K head dim, D width
import { OppoError } from "../../error.ts";
import { indices, inference, op, rmsNorm, scope, type Tensor } from "../../tensor/index.ts";
import { attendStep } from "./decode-attention.ts";
import { compacted, compactionOf, type DecodeBatch, firstBatch } from "./decode-batch.ts";
import type { LanguageModel } from "./language.ts";
import { type Attend, runLayers } from "./layers.ts";
import type { DecoderPrompt } from "./prompt.ts";
import type { SampledCompletion, SampleOptions, TokenLogprob } from "./sampling.ts";
import { type Choice, chooseTokens, uniformAt } from "./token-choice.ts";

export interface StopRules {
  readonly stopIds: readonly number[];
  /** Ids that are never sampled: media tokens and untrained vocabulary rows. */
  readonly bannedIds: readonly number[];
}

/** How often finished rows are looked for. */
const COMPACT_EVERY = 8;

/** Result under construction. */
interface Sequence {
  readonly ids: number[];
  readonly logprobs: number[];
  readonly seed: number;
  /** A stop token was reached. */
  stopped: boolean;
  /** Stopped, or ended by onToken. */
  ended: boolean;
}

/** Samples options.numSamples completions of every prompt; result [prompt][sample]. */
export function generate(
  model: LanguageModel,
  prompts: readonly DecoderPrompt[],
  options: SampleOptions,
  rules: StopRules,
): SampledCompletion[][] {
  checkOptions(prompts.length, options);
  const sequences = prompts.flatMap((_, b) =>
    Array.from({ length: options.numSamples }, (_, i): Sequence => {
      const seed = options.seeds?.[b * options.numSamples + i] ?? 0;
      return { ids: [], logprobs: [], seed, stopped: false, ended: false };
    }),
  );
  if (sequences.length > 0 && options.maxNewTokens > 0) {
    inference(() => scope(() => decode(model, prompts, options, rules, sequences)));
  }
  return prompts.map((_, b) =>
    sequences.slice(b * options.numSamples, (b + 1) * options.numSamples).map(({ ids, logprobs, stopped }) => ({
      ids: Int32Array.from(ids),
      logprobs: Float32Array.from(logprobs),
      truncated: !stopped,
    })),
  );
}

function checkOptions(
  numPrompts: number,
  { numSamples, temperature, seeds, topK = 1, topP = 1, repetitionPenalty = 1 }: SampleOptions,
): void {
  const numRows = numPrompts * numSamples;
  const wrong = (expected: string, got: unknown): OppoError =>
    new OppoError("ERR_SAMPLING_OPTIONS", `sample: expected ${expected}, got ${got}. Fix the sampling options.`);
  if (!(temperature >= 0)) throw wrong("a temperature of at least 0", temperature);
  if (!(topK >= 1)) throw wrong("topK of at least 1", topK);
  if (!(topP > 0)) throw wrong("topP above 0", topP);
  if (!(repetitionPenalty > 0)) throw wrong("a repetitionPenalty above 0", repetitionPenalty);
  // Without a seed each, all samples of a prompt would be the same.
  if (temperature > 0 && seeds?.length !== numRows) throw wrong(`${numRows} seeds`, seeds?.length ?? "none");
}

function decode(
  model: LanguageModel,
  prompts: readonly DecoderPrompt[],
  options: SampleOptions,
  rules: StopRules,
  sequences: readonly Sequence[],
): void {
  const device = model.embedding.device;
  const banned = rules.bannedIds.length > 0 ? indices(rules.bannedIds).to({ device }) : null;
  const stop = new Set(rules.stopIds);
  let ids = indices(prompts.flatMap((prompt) => Array(options.numSamples).fill(prompt.ids.at(-1)!))).to({ device });
  let batch = scope(() => firstBatch(model, prompts, options));
  for (let step = 0; step < options.maxNewTokens; step++) {
    const choice = scope(() => {
      const hidden = advance(model, batch, ids, step);
      const logits = op.linear(hidden, model.head).to({ dtype: "float32" });
      const uniforms = Float32Array.from(batch.owners, (owner) => uniformAt(sequences[Math.max(owner, 0)]!.seed, step));
      return chooseTokens(logits, options, banned, batch.seen, uniforms);
    });
    record(batch, choice, sequences, stop, options);
    if (sequences.every(({ ended }) => ended)) return;
    choice.logprobs.dispose();
    choice.likeliest?.ids.dispose();
    choice.likeliest?.logprobs.dispose();
    ids.dispose();
    ids = choice.tokens;
    batch.seen?.scatter_(1, ids.unsqueeze(1), 1);
    if ((step + 1) % COMPACT_EVERY === 0 && step + 1 < options.maxNewTokens) {
      const kept = compactionOf(batch, (owner) => !sequences[owner]!.ended);
      if (kept) {
        const previous = ids;
        [batch, ids] = scope(() => compacted(model, batch, previous, kept, step + 1, options));
      }
    }
  }
}

function record(
  batch: DecodeBatch,
  choice: Choice,
  sequences: readonly Sequence[],
  stop: ReadonlySet<number>,
  { numSamples, onToken }: SampleOptions,
): void {
  const tokens = choice.tokens.toInt32Array();
  const logprobs = choice.logprobs.toFloat32Array();
  const likeliest = likeliestTokens(choice);
  batch.owners.forEach((owner, row) => {
    const sequence = sequences[owner];
    if (!sequence || sequence.ended) return;
    const id = tokens[row]!;
    const logprob = logprobs[row]!;
    if (Number.isNaN(logprob)) throw notANumber();
    sequence.ids.push(id);
    sequence.logprobs.push(logprob);
    sequence.stopped = stop.has(id);
    const chosen = { id, logprob, likeliest: likeliest(row) };
    const wish = onToken?.(Math.floor(owner / numSamples), owner % numSamples, chosen);
    sequence.ended = sequence.stopped || wish === "stop";
  });
}

/** Of damaged weights, or of a training that went astray: whatever is chosen then means nothing. */
function notANumber(): OppoError {
  return new OppoError(
    "ERR_MODEL_VALUES",
    "sample: expected probabilities of the next token, got NaN. The weights are damaged or a training has diverged; oppo infer --check-values names the weights.",
  );
}

function likeliestTokens({ likeliest }: Choice): (row: number) => TokenLogprob[] {
  if (likeliest === null) return () => [];
  const ids = likeliest.ids.toInt32Array();
  const logprobs = likeliest.logprobs.toFloat32Array();
  const count = likeliest.ids.size(1);
  return (row) =>
    Array.from({ length: count }, (_, i) => ({ id: ids[row * count + i]!, logprob: logprobs[row * count + i]! }));
}

/** One step: hidden states [N, D] that predict the next token of every row. */
function advance(model: LanguageModel, batch: DecodeBatch, ids: Tensor, step: number): Tensor {
  const { config } = model;
  const { prompts, branches, cache, padding } = batch;
  const rows = prompts * branches;
  const first = (step - batch.ropeStart) * rows;
  const rope = { cos: batch.rope.cos.narrow(0, first, rows), sin: batch.rope.sin.narrow(0, first, rows) };
  const shape = { prompts, branches, slot: batch.firstSlot + step };
  const attend: Attend = (layer, heads) => ({
    context: attendStep(heads, cache[layer]!, padding, shape, config),
  });
  const x = runLayers(model.layers, op.embedding(model.embedding, ids), rope, config, attend);
  return rmsNorm(x, model.finalNorm, config.normEps);
}
