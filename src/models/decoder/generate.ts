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
import { type Choice, chooseTokens, drawnPoints } from "./token-choice.ts";

export interface StopRules {
  readonly stopIds: readonly number[];
  /** Ids that are never sampled: media tokens and untrained vocabulary rows. */
  readonly bannedIds: readonly number[];
  /** 1, 2, 4 or 8; left out, 1 on the host and 8 on a device. The result does not depend on it. */
  readonly tokensPerLook?: number;
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
  const { device } = model.embedding;
  const { maxNewTokens } = options;
  const banned = rules.bannedIds.length > 0 ? indices(rules.bannedIds).to({ device }) : null;
  const stop = new Set(rules.stopIds);
  let ids = indices(prompts.flatMap((prompt) => Array(options.numSamples).fill(prompt.ids.at(-1)!))).to({ device });
  let batch = scope(() => firstBatch(model, prompts, options));
  const stride = rules.tokensPerLook ?? tokensPerLook(device, options);
  for (let step = 0; step < maxNewTokens; step += stride) {
    const count = Math.min(stride, maxNewTokens - step);
    const before = ids;
    const choices = scope(() => {
      const points = pointsOf(batch, sequences, step, count, options, device);
      return Array.from({ length: count }, (_, i) => {
        const choice = scope(() => {
          const logits = op.linear(advance(model, batch, ids, step + i), model.head).to({ dtype: "float32" });
          return chooseTokens(logits, options, banned, batch.seen, points?.select(0, i) ?? null);
        });
        batch.seen?.scatter_(1, choice.tokens.unsqueeze(1), 1);
        ids = choice.tokens;
        return choice;
      });
    });
    scope(() => record(batch, choices, sequences, stop, options));
    release(choices);
    before.dispose();
    if (sequences.every(({ ended }) => ended)) return;
    const next = step + count;
    const kept =
      next % COMPACT_EVERY === 0 && next < maxNewTokens
        ? compactionOf(batch, (owner) => !sequences[owner]!.ended)
        : null;
    if (kept) {
      const previous = ids;
      [batch, ids] = scope(() => compacted(model, batch, previous, kept, next, options));
    }
  }
}

/**
 * How many tokens are chosen before the host looks at them. A look waits for a device, which is idle until it hears what
 * comes next; tokens behind a sequence's end are thrown away. The host itself has nothing to wait for, and whoever listens
 * wants every token at once.
 */
function tokensPerLook(device: string, { onToken }: SampleOptions): number {
  return device === "cpu" || onToken !== undefined ? 1 : COMPACT_EVERY;
}

function pointsOf(
  { owners }: DecodeBatch,
  sequences: readonly Sequence[],
  step: number,
  count: number,
  { temperature }: SampleOptions,
  device: string,
): Tensor | null {
  if (temperature === 0) return null;
  const seeds = owners.map((owner) => sequences[Math.max(owner, 0)]!.seed);
  return drawnPoints(seeds, step, count, device);
}

/** All but the last tokens, which the next step reads. */
function release(choices: readonly Choice[]): void {
  choices.forEach(({ tokens, logprobs, likeliest }, i) => {
    for (const told of [logprobs, likeliest?.ids, likeliest?.logprobs]) told?.dispose();
    if (i + 1 < choices.length) tokens.dispose();
  });
}

/** Takes over what was chosen in consecutive steps, in one copy of each kind. */
function record(
  batch: DecodeBatch,
  choices: readonly Choice[],
  sequences: readonly Sequence[],
  stop: ReadonlySet<number>,
  { numSamples, onToken, onEnd }: SampleOptions,
): void {
  const numRows = batch.owners.length;
  const tokens = joined(choices.map((choice) => choice.tokens)).toInt32Array();
  const logprobs = joined(choices.map((choice) => choice.logprobs)).toFloat32Array();
  choices.forEach((choice, step) => {
    const likeliest = onToken ? likeliestTokens(choice) : () => [];
    batch.owners.forEach((owner, row) => {
      const sequence = sequences[owner];
      if (!sequence || sequence.ended) return;
      const id = tokens[step * numRows + row]!;
      const logprob = logprobs[step * numRows + row]!;
      if (Number.isNaN(logprob)) throw notANumber();
      sequence.ids.push(id);
      sequence.logprobs.push(logprob);
      sequence.stopped = stop.has(id);
      const chosen = { id, logprob, likeliest: likeliest(row) };
      const wish = onToken?.(Math.floor(owner / numSamples), owner % numSamples, chosen);
      sequence.ended = sequence.stopped || wish === "stop";
      if (sequence.ended) onEnd?.(Math.floor(owner / numSamples), owner % numSamples, sequence.ids);
    });
  });
}

function joined(rows: readonly Tensor[]): Tensor {
  return rows.length === 1 ? rows[0]! : op.cat(rows, { dim: 0 });
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
