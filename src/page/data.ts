// What a report shows, as plain data: recipes fill it, the page draws it, results.json holds the numbers of it.
import type { Report } from "../bench/report.ts";
import type { Cue, CueKind } from "../evidence/cue.ts";
import type { Modality } from "../media/clip.ts";

/** One trained (or only cold-started) model with everything measured on it. */
export interface ArmResult {
  /** Preset name, or "sft" for the cold start. */
  readonly name: string;
  readonly title: string;
  readonly seeds: readonly number[];
  /** Every metric, mean over seeds, with the bootstrap interval over seeds and clips drawn together. */
  readonly metrics: Report;
  /** The same metrics of each seed, in the order of `seeds`. */
  readonly perSeed: readonly Report[];
  /** One entry per training step of the first seed; empty for the cold start. */
  readonly curve: readonly Readonly<Record<string, number>>[];
  readonly trainSeconds: readonly number[];
}

/** A stretch of a reasoning. Segments of a narration concatenate to its text. */
export interface Segment {
  readonly text: string;
  /** Set on a clause that states a cue. */
  readonly claim?: {
    readonly kind: CueKind;
    /** present: the clip has it; absent: it has not; unseen: its modality was masked, so it cannot be known. */
    readonly verdict: "present" | "absent" | "unseen";
  };
}

/** What one model said about one view of a clip. */
export interface Narration {
  readonly segments: readonly Segment[];
  readonly answer: string;
  readonly wellFormed: boolean;
}

export interface TokenDivergence {
  readonly text: string;
  /** KL(full || masked) in nats at this token, per masked modality (Eq. 7, 8). */
  readonly video: number;
  readonly audio: number;
}

export interface ArmStory {
  readonly arm: string;
  readonly full: Narration;
  readonly masked: Readonly<Record<Modality, Narration>>;
  /** The evidence-routing matrix (Eq. 1), row-major [cues, clauses]. */
  readonly routing: {
    readonly cues: readonly Cue[];
    readonly clauses: readonly string[];
    readonly similarity: readonly number[];
  };
  readonly tokens: readonly TokenDivergence[];
}

/** A clip that plays in the page, with every arm's reading of it. */
export interface ClipStory {
  readonly id: string;
  /** Example: "conflict: the face is happy, the voice is sad" */
  readonly caption: string;
  /** `data:` URIs, so that the page stands alone. */
  readonly mediaUri: string;
  readonly posterUri: string;
  readonly subtitle: string;
  readonly labels: readonly string[];
  readonly cues: readonly Cue[];
  readonly arms: readonly ArmStory[];
}

export interface ReportData {
  readonly title: string;
  readonly created: string;
  readonly arms: readonly ArmResult[];
  /** Metric -> index of the arm that a paired test found better than every other. */
  readonly best: ReadonlyMap<string, number>;
  readonly stories: readonly ClipStory[];
  /** Similarity threshold delta that decides what counts as stated. */
  readonly similarityThreshold: number;
  /** What a reader has to know beside the table, in sentences. */
  readonly notes: readonly string[];
  readonly timings: readonly { readonly stage: string; readonly seconds: number }[];
  readonly facts: readonly { readonly name: string; readonly value: string }[];
}
