// Where the official scorers do something that a reader would not expect, and what can be chosen instead. The defaults
// reproduce published numbers; a report says which of them mattered.

export interface ScoringRules {
  /**
   * A wheel on which no annotation resolves, or on which precision and recall are both 0: the published code divides by
   * zero, and the mean over wheels is then undefined ("undefined"); the 2026 code scores 0 ("zero"); or the wheel is left out.
   */
  readonly undefinedWheel: "undefined" | "zero" | "skip";
  /** "neutral" is on no wheel, so samples annotated with it alone are not scored; or a group of its own on every wheel. */
  readonly neutral: "unscored" | "group";
  /** Only commas and quotes separate labels; or what a reader would understand. */
  readonly parser: "official" | "lenient";
  /** Samples of sentiment 0 are left out; or belong to a class. */
  readonly zeroSentiment: "drop" | "negative" | "positive";
  /** A neutral or unreadable polarity counts as negative, so it is right on negative samples; or is wrong on all. */
  readonly neutralPolarity: "negative" | "wrong";
  /** Single-label answers: the answer tag's body, lower case, mapped to the label space; or the raw text, as the released script. */
  readonly singleLabel: "answer" | "raw";
}

export const publishedRules: ScoringRules = {
  undefinedWheel: "undefined",
  neutral: "unscored",
  parser: "official",
  zeroSentiment: "drop",
  neutralPolarity: "negative",
  singleLabel: "answer",
};

/** Something that a reader of the score should know, with how many samples or labels it is about. */
export interface ScoreNote {
  /** Stable, for programs: "neutral-unscored". */
  readonly name: string;
  readonly count: number;
  /** Of how many; left out where that says nothing. */
  readonly of?: number;
  /** What was counted, as a phrase that comes before the counts: "samples without a prediction". The same for every set. */
  readonly text: string;
  /** What only holds for this set. */
  readonly detail?: string;
}
