// In which order samples are reviewed: what two annotators see differently, then what is doubtful, then what is open, then what has no
// cues, then the rest.
import type { Reviews } from "../../../corpus/review/reviews.ts";
import type { IndexedSample } from "./corpus-index.ts";
import { type SampleOrder, type SampleState, sampleStates } from "./data-api.ts";

/** A cue less sure than that is doubtful. */
export const doubtLimit = 0.5;

export interface OrderQuery {
  /** Whose decisions are open; empty: a new annotator's. */
  readonly by: string;
  readonly order: SampleOrder;
  /** A part of the sample's name; empty: any. */
  readonly search: string;
  /** Decisions that count. */
  readonly at: number;
}

export interface OrderedSamples {
  readonly samples: readonly IndexedSample[];
  readonly counts: Readonly<Record<SampleState, number>>;
}

export function stateOf(sample: IndexedSample, reviews: Reviews, by: string, at: number): SampleState {
  if (reviews.isDisagreed(sample.id, at)) return "disagreed";
  if (sample.cues.size === 0 && !reviews.standing(sample.id, at).some(({ act }) => act === "add")) return "bare";
  if (reviews.numOpen(sample.id, sample.cues, by, at) === 0) return "done";
  return sample.confidence !== null && sample.confidence < doubtLimit ? "doubtful" : "open";
}

/** Of the doubtful ones the least sure first; else as the corpus has them. */
export function orderSamples(all: readonly IndexedSample[], reviews: Reviews, query: OrderQuery): OrderedSamples {
  const { by, order, search, at } = query;
  const counts: Record<SampleState, number> = { disagreed: 0, doubtful: 0, open: 0, bare: 0, done: 0 };
  const ranked = all
    .filter(({ id }) => search === "" || id.includes(search))
    .map((sample) => {
      const state = stateOf(sample, reviews, by, at);
      counts[state]++;
      return { sample, rank: sampleStates.indexOf(state), doubt: state === "doubtful" ? sample.confidence! : 0 };
    });
  if (order === "doubtful") ranked.sort((a, b) => a.rank - b.rank || a.doubt - b.doubt);
  return { samples: ranked.map(({ sample }) => sample), counts };
}
