// What a report shows: per token of a finished completion, how much the next-token distribution changes when a modality
// is masked (L_t of Eq. 7 and 8). No gradient, no cap.
import type { ModelPrompt, OmniModel } from "../models/omni-model.ts";
import { noGrad, scope } from "../tensor/index.ts";
import { rowsPerChunk } from "./chunk-size.ts";
import { cutRows, forEachChunk, logDistribution } from "./chunks.ts";
import { fullKl } from "./objectives/grpo.ts";

/**
 * Exact KL(p_t || p_t^m) of every token of every completion of one prompt.
 *
 * @returns one array per completion, as long as the completion, in nats.
 */
export function tokenDivergence(
  model: OmniModel,
  full: ModelPrompt,
  masked: ModelPrompt,
  completions: readonly Int32Array[],
): Float32Array[] {
  const longest = Math.max(...completions.map(({ length }) => length));
  const flatRows = completions.flatMap(({ length }, n) => Array.from({ length }, (_, t) => n * longest + t));
  const values = new Float32Array(flatRows.length);
  noGrad(() =>
    scope(() => {
      const rowsOf = (prompt: ModelPrompt) =>
        cutRows(model.hidden([prompt], [completions]), Int32Array.from(flatRows), false).rows;
      const [fullRows, maskedRows] = [rowsOf(full), rowsOf(masked)];
      forEachChunk(flatRows.length, rowsPerChunk(null, model), (start, count) => {
        const logp = logDistribution(model.logits(fullRows.narrow(0, start, count)), 1);
        const logq = logDistribution(model.logits(maskedRows.narrow(0, start, count)), 1);
        values.set(fullKl(logp, logq).toFloat32Array(), start);
      });
    }),
  );
  let at = 0;
  return completions.map(({ length }) => {
    at += length;
    return values.slice(at - length, at);
  });
}

/**
 * The same of one completion under several views of its prompt, which run together.
 *
 * @returns one array per view, as long as the completion, in nats.
 */
export function viewDivergences(
  model: OmniModel,
  full: ModelPrompt,
  views: readonly ModelPrompt[],
  completion: Int32Array,
): Float32Array[] {
  const { length } = completion;
  return noGrad(() =>
    scope(() => {
      const prompts = [full, ...views];
      const hidden = model.hidden(
        prompts,
        prompts.map(() => [completion]),
      );
      const flatRows = Int32Array.from({ length: prompts.length * length }, (_, i) => i);
      const { rows } = cutRows(hidden, flatRows, false);
      const logpOf = (row: number, count: number) => logDistribution(model.logits(rows.narrow(0, row, count)), 1);
      const values = views.map(() => new Float32Array(length));
      forEachChunk(length, rowsPerChunk(null, model), (start, count) => {
        const logp = logpOf(start, count);
        for (const [v, out] of values.entries()) {
          out.set(fullKl(logp, logpOf((v + 1) * length + start, count)).toFloat32Array(), start);
        }
      });
      return values;
    }),
  );
}
