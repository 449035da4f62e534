// What the room of data and its server tell each other. Types only; docs/studio.md says it in words.
import type { Act } from "../../../corpus/review/decision.ts";
import type { Annotator, JudgedCue } from "../../../corpus/review/reviews.ts";
import type { Agreement } from "../../../evidence/agreement.ts";
import type { CueKind } from "../../../evidence/cue.ts";
import type { CueView, LogState, SampleView } from "../api.ts";

export interface CorpusSummary {
  readonly id: string;
  readonly name: string;
  readonly path: string;
  /** Of a MEP set: its clips are reviewed, its questions stay as they are. */
  readonly kind: "samples" | "mep";
  /** The journal's path; it is made by the first decision. */
  readonly journal: string;
}

export interface CorpusList {
  readonly corpora: readonly CorpusSummary[];
}

export interface CorpusDetail {
  readonly summary: CorpusSummary;
  readonly numSamples: number;
  readonly numCues: number;
  /** Lines that are no samples, and the first of them. */
  readonly corpus: LogState;
  readonly journal: LogState;
  readonly annotators: readonly Annotator[];
  /** Of the two that were asked for; by kind of cue and of all. */
  readonly agreement: Readonly<Record<CueKind | "all", Agreement>> | null;
  readonly isWhole: boolean;
}

export const sampleOrders = ["doubtful", "corpus"] as const;
export type SampleOrder = (typeof sampleOrders)[number];

export const sampleStates = ["disagreed", "doubtful", "open", "bare", "done"] as const;
/**
 * disagreed: two annotators differ; doubtful: a cue below the limit that is not decided yet; open: a cue is undecided; bare: there is no
 * cue, of the corpus or added; done: every cue is decided.
 */
export type SampleState = (typeof sampleStates)[number];

export interface SampleEntry {
  readonly id: string;
  readonly numCues: number;
  /** Cues that the asked annotator has not decided about. */
  readonly numOpen: number;
  readonly state: SampleState;
  /** The lowest confidence of its cues, from 0 to 1; null where nothing is known. */
  readonly confidence: number | null;
  /** What the page can show; null where there is none. */
  readonly media: SampleView["media"];
}

export interface SamplePage {
  readonly total: number;
  readonly offset: number;
  /** Decisions that the order rests on: sent along with the next page, the order stays. */
  readonly at: number;
  /** In the whole order, by state. */
  readonly counts: Readonly<Record<SampleState, number>>;
  readonly entries: readonly SampleEntry[];
  readonly isWhole: boolean;
}

export interface ReviewedCue extends JudgedCue {
  /** As the row says it, or the share of the cue's words that its account has; null where neither is there. */
  readonly confidence: { readonly value: number; readonly isStated: boolean } | null;
}

/** Whole, with its clip. */
export interface ReviewedSampleView {
  readonly entry: SampleEntry;
  readonly view: SampleView;
  readonly problem: string | null;
  readonly cues: readonly ReviewedCue[];
  /** Lines of the journal that it rests on. */
  readonly total: number;
}

/** What the page sends: of an undoing the server finds out what is undone. */
export interface DecisionRequest {
  readonly id: string;
  readonly by: string;
  readonly sample?: string | undefined;
  readonly act: Act;
  readonly cue?: CueView | undefined;
  readonly to?: CueView | undefined;
}

export interface DecisionAnswer {
  /** The sample that the decision, or what was undone, is about. */
  readonly sample: string;
  readonly isUndone: boolean;
  readonly total: number;
}
