// MME-Emotion (arXiv 2508.09210): 6,500 clips in eight tasks. What its files are called, how many clips a whole task has, and
// what joins the labels of a clip that has several.

export interface MmeTask {
  readonly name: string;
  /** How files of the task begin. */
  readonly stems: readonly string[];
  readonly numClips: number;
  /** Between the labels of one clip; null where it has one. */
  readonly separator: "," | ";" | null;
}

export const mmeTasks: readonly MmeTask[] = [
  { name: "ER-Lab", stems: ["ER_Lab"], numClips: 500, separator: null },
  { name: "ER-Wild", stems: ["ER_Wild", "ER_SL_Wild"], numClips: 1800, separator: null },
  { name: "Noise-ER", stems: ["Noise_ER"], numClips: 500, separator: null },
  { name: "FG-ER", stems: ["FG_ER"], numClips: 500, separator: ";" },
  { name: "ML-ER", stems: ["ML_ER"], numClips: 600, separator: "," },
  { name: "SA", stems: ["SA"], numClips: 1600, separator: null },
  { name: "FG-SA", stems: ["FG_SA"], numClips: 500, separator: null },
  { name: "IR", stems: ["IR"], numClips: 500, separator: null },
];

/** "ER_SL_Wild_r1_omni_eval.json" is of ER-Wild; null for a name that begins with no task. */
export function taskOfFile(name: string): MmeTask | null {
  const spelled = name.toLowerCase().replaceAll("-", "_");
  const begins = (stem: string) => new RegExp(`^${stem.toLowerCase()}(?![a-z0-9])`).test(spelled);
  return mmeTasks.find(({ stems }) => stems.some(begins)) ?? null;
}

/** A clip of the benchmark and what is right about it. */
export interface MmeClip {
  readonly task: string;
  readonly videoId: string;
  /** One, or those of a clip with several. */
  readonly labels: readonly string[];
  readonly labelSet: readonly string[];
  /** What a model that hears wrote about the sound, for a judge that does not. */
  readonly audioClue: string | null;
}
