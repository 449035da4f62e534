// What the studio's page and its server tell each other: docs/studio.md says it in words. Types only; numbers that a log does not
// have, or that are not finite, are null.

export type RunShape = "train" | "sft" | "mep" | "demo" | "table" | "log";

/** running: a process holds it; finished: its last step is done; stopped: neither; unknown: nobody can say. */
export type RunState = "running" | "finished" | "stopped" | "unknown";

/** A run in the list. */
export interface RunSummary {
  /** In every address: made of the folder's path. */
  readonly id: string;
  /** Below the folder that the studio was opened on. Example: "demo/arms/oppo/seed-0" */
  readonly name: string;
  readonly path: string;
  readonly shape: RunShape;
  readonly state: RunState;
  readonly preset: string | null;
  /** Steps in the log, and those that the configuration asks for. */
  readonly numSteps: number | null;
  readonly wantedSteps: number | null;
  /** The last step's numbers that the list shows. */
  readonly last: Readonly<Record<string, number | null>>;
  readonly hasRollouts: boolean;
  readonly numWarnings: number;
  /** Milliseconds since 1970 of the newest log. */
  readonly changedAt: number;
  /** What is odd about the folder, in words. */
  readonly problems: readonly string[];
}

export interface RunList {
  readonly runs: readonly RunSummary[];
  /** Folders looked through were too many: there may be more runs. */
  readonly isCut: boolean;
  /** Whether runs may be stopped and gone on with from the page. */
  readonly hasControl: boolean;
}

export interface RunWarning {
  readonly step: number | null;
  readonly name: string;
  readonly line: string;
}

/** Everything about one run that is no curve. */
export interface RunDetail {
  readonly summary: RunSummary;
  /** Dotted path -> value as JSON: the resolved configuration. */
  readonly settings: Readonly<Record<string, string>>;
  /** What run.json says: versions, device, seeds, choices; dotted like the settings. */
  readonly facts: Readonly<Record<string, string>>;
  readonly warnings: readonly RunWarning[];
  /** Names of numbers in the logs; those of evaluations begin with "eval/". */
  readonly metrics: readonly string[];
  readonly logs: readonly LogState[];
}

/** How far a log was read, and what in it is no row. */
export interface LogState {
  readonly name: string;
  readonly numRows: number;
  /** Bytes of a last line without its end: it is being written, or was cut off. */
  readonly halfWritten: number;
  readonly numBroken: number;
  readonly firstBroken: string | null;
}

/** Curves: each point is the mean of `stride` steps. */
export interface SeriesAnswer {
  /** Another one than before: everything is sent anew. */
  readonly generation: string;
  readonly stride: number;
  /** Index of the first point sent. */
  readonly start: number;
  readonly steps: readonly number[];
  readonly values: Readonly<Record<string, readonly (number | null)[]>>;
  readonly isWhole: boolean;
}

export const rolloutOrders = ["newest", "oldest", "lowest", "broken", "unsupported", "spread", "change"] as const;
export type RolloutOrder = (typeof rolloutOrders)[number];

/** One group of rollouts as the list shows it. */
export interface GroupEntry {
  /** Number of its line in rollouts.jsonl, from 0. */
  readonly line: number;
  readonly step: number;
  readonly sample: string;
  readonly numRollouts: number;
  readonly mean: number;
  readonly lowest: number;
  readonly highest: number;
  readonly numBroken: number;
  /** Clauses that no cue of the clip supports. */
  readonly numUnsupported: number;
  /** Mean reward now less that of the first group of this clip at or after the asked step; of order "change" only. */
  readonly change?: number;
}

export interface GroupPage {
  readonly total: number;
  readonly numGroups: number;
  readonly numRollouts: number;
  readonly offset: number;
  readonly groups: readonly GroupEntry[];
  readonly log: LogState;
  /** false: the log is still being looked through. */
  readonly isWhole: boolean;
}

export interface CueView {
  readonly kind: "video" | "audio" | "emotion";
  readonly text: string;
}

export interface ClauseView {
  readonly text: string;
  readonly chars: readonly [number, number];
  readonly cue: number;
  readonly kind: "video" | "audio" | null;
  readonly similarity: number;
  /** The nearest cue of any kind; only where the log has it. */
  readonly nearest?: { readonly cue: number; readonly similarity: number } | undefined;
}

/** Positions are tokens of the completion. */
export interface TokenView {
  /** Where each token ends, in characters. */
  readonly ends: readonly number[];
  /** Divergence in nats of token positions when a modality is masked, by view; "reference": the KL to the reference. */
  readonly divergence: Readonly<Record<string, readonly (readonly [position: number, nats: number])[]>>;
}

export interface RolloutView {
  readonly text: string;
  readonly numTokens: number;
  readonly truncated: boolean;
  readonly wellFormed: boolean;
  readonly problem: string | null;
  readonly reward: number | null;
  readonly rewards: Readonly<Record<string, number | null>>;
  readonly advantage: number | null;
  readonly clauses: readonly ClauseView[];
  readonly tokens?: TokenView | undefined;
}

export interface SampleView {
  readonly id: string;
  readonly subtitle: string;
  readonly labels: readonly string[];
  readonly reasoning: string;
  readonly cues: readonly CueView[];
  /** What the page can play: addresses relative to the run's; null where there is none. */
  readonly media: { readonly path: string; readonly kind: "video" | "audio" | "image" } | null;
  readonly sound: { readonly path: string } | null;
}

/** A question about one cue. */
export interface AskedView {
  readonly question: string;
  readonly expected: "yes" | "no";
}

export interface GroupDetail {
  readonly entry: GroupEntry;
  readonly rollouts: readonly RolloutView[];
  readonly cues: readonly CueView[];
  /** What was asked in place of the task's question, and what the clip's annotation says. */
  readonly asked: AskedView | null;
  readonly sample: SampleView | null;
  /** Why there is no sample, or no clip. */
  readonly sampleProblem: string | null;
  /** Lines of the other groups of the same clip, oldest first. */
  readonly others: readonly { readonly line: number; readonly step: number; readonly mean: number }[];
}

/** What the stream of changes says. */
export interface ChangeEvent {
  /** The list is another one: runs came, went or changed their state. */
  readonly list: boolean;
  /** Run -> names of its logs that changed. */
  readonly runs: Readonly<Record<string, readonly string[]>>;
  /** Corpora that somebody decided about. */
  readonly corpora: readonly string[];
}

/** A model that the X-ray may ask: of a run, or of a folder of models. */
export interface ModelEntry {
  readonly id: string;
  readonly name: string;
}

export interface ModelList {
  readonly models: readonly ModelEntry[];
  /** Kinds of masks by modality. */
  readonly kinds: Readonly<Record<"video" | "audio", readonly string[]>>;
  readonly maxModels: number;
}

/** A clip that somebody dropped into the page; its id stands for a sample's. */
export interface DroppedClip {
  readonly id: string;
  readonly name: string;
  readonly seconds: number;
  readonly hasSound: boolean;
}

export interface DroppedList {
  readonly clips: readonly DroppedClip[];
}

export interface SampleList {
  readonly total: number;
  readonly ids: readonly string[];
}

/** Shares of a clip from 0 to 1. */
export interface PartView {
  readonly from: number;
  readonly to: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  /** Of the picture: only what lies in one of these cells of a grid as well. */
  readonly painted?: { readonly columns: number; readonly rows: number; readonly cells: readonly number[] } | undefined;
  /** Of the sound: only these frequencies. */
  readonly band?: { readonly lowHz: number; readonly highHz: number } | undefined;
}

export interface MaskView {
  readonly modality: "video" | "audio";
  readonly kind: string;
  readonly ratio: number;
  readonly seed: number;
  readonly part?: PartView | undefined;
}

/** What a clip is shown with. */
export interface ChangeView {
  /** Another sample of the same data, whose sound takes the place of the clip's; null: its own. */
  readonly swap: string | null;
  readonly masks: readonly MaskView[];
}

export interface XrayQuestion {
  readonly model: string;
  readonly run: string;
  /** Of the run's data, or the id of a clip that was dropped in. */
  readonly sample: string;
  readonly change: ChangeView;
}

export interface XrayComparison extends Omit<XrayQuestion, "change"> {
  readonly completion: readonly number[];
  readonly changes: readonly ChangeView[];
}

/** A whole answer, taken apart. */
export interface XrayAnswer {
  readonly text: string;
  readonly ids: readonly number[];
  /** Where each token ends, in characters. */
  readonly ends: readonly number[];
  readonly clauses: readonly {
    readonly text: string;
    readonly chars: readonly [number, number];
    readonly tokens: readonly [number, number];
  }[];
  readonly cues: readonly CueView[];
  /** Row-major [cues, clauses]; empty where the two cannot be compared. */
  readonly similarity: readonly number[];
  readonly threshold: number;
  /** Of clauses and cues: why they cannot be compared; null where they are. */
  readonly routingProblem: string | null;
}
