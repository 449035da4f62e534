// Prompts as the decoder reads them: negative ids stand for media, one after another in one line of positions; the rows of a
// video are its three token lists weighed by what the gate makes of the prompt's question.
// B prompts, N video tokens, W width of the text
import { OppoError } from "../../error.ts";
import { op, scope, type Tensor } from "../../tensor/index.ts";
import type { WeightSource } from "../decoder/projection.ts";
import type { DecoderPrompt, MediaRows } from "../decoder/prompt.ts";
import type { ModelPrompt, PromptTokens } from "../omni-model.ts";
import type { HumanOmniConfig } from "./config/config.ts";
import { NUM_LISTS } from "./parameters.ts";
import { questionShares } from "./towers/question-gate.ts";

/** Ids of media, one for every row: the reference's own. */
export const placeholders = { image: -200, video: -201, audio: -202 } as const;

/** A prompt's ids with what the gate reads. */
export interface HumanOmniTokens extends PromptTokens {
  readonly question: Int32Array;
}

/** Prompts with their rows in place. Honours the grad mode: what the gate and the rows were made of learns through it. */
export function decoderPrompts(
  weights: WeightSource,
  config: HumanOmniConfig,
  prompts: readonly ModelPrompt[],
): DecoderPrompt[] {
  const shareOf = sharesOf(weights, config, prompts);
  return prompts.map(({ tokens, rows }, index): DecoderPrompt => {
    const { ids } = tokens;
    const { image, video, audio } = placeholders;
    const towers = [
      { name: "video", own: [image, video], rows: rows?.video ?? null },
      { name: "audio", own: [audio], rows: rows?.audio ?? null },
    ];
    const media = towers.flatMap((tower): MediaRows[] => {
      const places = Array.from(ids.keys()).filter((place) => (tower.own as number[]).includes(ids[place]!));
      const given = tower.rows?.size(0) ?? 0;
      if (places.length !== given) throw rowCountError(index, tower.name, places.length, given);
      if (tower.rows === null) return [];
      if (tower.name === "audio") return [{ places, rows: tower.rows }];
      return [{ places, rows: shareOf(index)(tower.rows), source: sourceOf(tower.rows, tokens.lens) }];
    });
    // The rows replace whatever stands at their places; the first id of the vocabulary does.
    const known = ids.map((id) => Math.max(id, 0));
    return { ids: known, positions: ids.map((_, place) => place), media, isPenalised: false };
  });
}

const sources = new WeakMap<Tensor, Map<string, object>>();

/** The same object for the same lists weighed by the same question. */
function sourceOf(rows: Tensor, lens: string): object {
  const known = sources.get(rows) ?? new Map<string, object>();
  sources.set(rows, known);
  const source = known.get(lens) ?? {};
  known.set(lens, source);
  return source;
}

/** Of every prompt that has a video, how its rows [N, 3 W] become rows [N, W]. Equal questions are read once. */
function sharesOf(
  weights: WeightSource,
  config: HumanOmniConfig,
  prompts: readonly ModelPrompt[],
): (prompt: number) => (rows: Tensor) => Tensor {
  const questions = new Map<string, Int32Array>();
  for (const { tokens, rows } of prompts) {
    if (rows?.video) questions.set(tokens.lens, (tokens as HumanOmniTokens).question);
  }
  const order = [...questions.keys()];
  const shares =
    order.length > 0 ? scope(() => questionShares(weights, config.question, [...questions.values()])) : null;
  return (prompt) => (rows) =>
    scope(() => fusedRows(rows, shares!.select(0, order.indexOf(prompts[prompt]!.tokens.lens))));
}

/** @param rows [N, 3 W] @param shares [3] @returns [N, W] */
export function fusedRows(rows: Tensor, shares: Tensor): Tensor {
  const lists = rows.view([rows.size(0), NUM_LISTS, -1]);
  return op.sum(lists.mul(shares.to(rows.dtype).view([1, NUM_LISTS, 1])), 1);
}

function rowCountError(prompt: number, name: string, numPlaces: number, numRows: number): OppoError {
  return new OppoError(
    "ERR_MEDIA_ROW_COUNT",
    `prompt ${prompt}: expected ${numPlaces} ${name} rows (its placeholders), got ${numRows}. ` +
      "Encode the clip that the prompt was made for; a prompt must end in text.",
  );
}
