// A prompt as the decoder reads it: ids, the positions of every token, and rows that stand where media are. Which ids mean a
// medium, and how positions come about, is the architecture's business.
// A position axes (DecoderConfig.ropeSections), T tokens, D width
import type { Tensor } from "../../tensor/index.ts";

/** Token ids with their rotary positions. */
export interface PositionedIds {
  readonly ids: Int32Array;
  /** Row-major [A, T]. The axes agree on the last token: what follows it counts on from there. */
  readonly positions: Int32Array;
}

/** Rows that replace the embeddings of some tokens. */
export interface MediaRows {
  /** Which tokens, ascending. */
  readonly places: readonly number[];
  /** [places.length, D] */
  readonly rows: Tensor;
  /** What rows are made of that are made anew for every call: equal sources, equal rows. Left out: the rows themselves. */
  readonly source?: object;
}

export interface DecoderPrompt extends PositionedIds {
  /** False: a repetition penalty counts generated ids alone. Default true. */
  readonly isPenalised?: boolean;
  readonly media: readonly MediaRows[];
}

/** The first `length` tokens. */
export function headOf({ ids, positions }: PositionedIds, length: number): PositionedIds {
  const total = ids.length;
  const numAxes = total === 0 ? 0 : positions.length / total;
  const head = new Int32Array(numAxes * length);
  for (let axis = 0; axis < numAxes; axis++) {
    head.set(positions.subarray(axis * total, axis * total + length), axis * length);
  }
  return { ids: ids.slice(0, length), positions: head };
}
