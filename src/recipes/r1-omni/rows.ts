// The four rows of R1-Omni's Table 1: what each is made of, how it is asked, and what was published.
import { publishedRecall } from "../../bench/mer-unibench/published.ts";
import { rlvrQuestion } from "../../train/presets.ts";

export const rowNames = ["base", "cold", "labels", "rlvr"] as const;
export type RowName = (typeof rowNames)[number];

export const rowTitles: Readonly<Record<RowName, string>> = {
  base: "HumanOmni",
  cold: "EMER-SFT",
  labels: "label SFT",
  rlvr: "RLVR (R1-Omni)",
};

/** The paper's order, from the second row on: each above the one before, in every column of its table. */
export const orderings: readonly (readonly [better: RowName, worse: RowName])[] = [
  ["cold", "base"],
  ["labels", "cold"],
  ["rlvr", "labels"],
];

/** Its names of the same rows. */
const systems: Readonly<Record<RowName, string>> = {
  base: "HumanOmni-0.5B",
  cold: "EMER-SFT",
  labels: "MAFW-DFEW-SFT",
  rlvr: "R1-Omni",
};

/** WAR and UAR in percent; null: not published. */
export function publishedOf(row: RowName, set: string): readonly [war: number, uar: number] | null {
  return publishedRecall.find(({ system }) => system === systems[row])?.sets[set] ?? null;
}

/** Whether a row was taught to think aloud, and so is asked for it. */
export const thinks: Readonly<Record<RowName, boolean>> = { base: false, cold: true, labels: false, rlvr: true };

export interface Questions {
  /** For a word. */
  readonly plain: string;
  /** For a reasoning and a word in tags. */
  readonly thinking: string;
}

/** The prompt of the reference's evaluation, and that of its reinforcement. */
export const referenceQuestions: Questions = {
  plain:
    "As an emotional recognition expert, in the video, when the characters display their emotions, which predominant feeling is most clearly expressed?\n",
  thinking: rlvrQuestion,
};
