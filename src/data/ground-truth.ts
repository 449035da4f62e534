// What a scorer needs to know about a data set's annotation: one value per sample name. Readers of the official layouts and
// of plain files produce it, the scorers consume it. Labels are raw, exactly as the file has them: the scorers' own parser
// decides what they mean, because its quirks are part of the published numbers.

/** A label cell as it was written: `[happy, 'sad']`, `happy,sad`, or a list that is not split any further; null when empty. */
export type RawLabels = string | readonly string[] | null;

interface TruthOf<Kind extends string, Value> {
  /** The name that tables use, such as "MER2023" or "OVMERDPlus". */
  readonly dataset: string;
  /** Which split, where the data set is read from its official layout. */
  readonly split?: string;
  readonly kind: Kind;
  /** Sample name (file stem, as the data set spells it) -> annotation, in the file's order. */
  readonly rows: ReadonlyMap<string, Value>;
  /** The file or folder it came from: for reports and errors. */
  readonly source: string;
  /** Names that the source has more than once, where its layout allows that (the last row won). */
  readonly repeatedNames?: readonly string[];
}

/** Any number of emotion words per sample: OV-MERD(+), MER2025-OV, MER-Caption+, Human-OV. */
export type OpenTruth = TruthOf<"open", RawLabels>;

/** One emotion word per sample: MER2023, MER2024, MELD, IEMOCAP, DFEW, MAFW, RAVDESS. */
export interface DiscreteTruth extends TruthOf<"discrete", string> {
  /** The label space, in the data set's order, lower case. */
  readonly labels: readonly string[];
}

/** Sentiment strength per sample, negative below 0: CMU-MOSI, CMU-MOSEI, CH-SIMS, CH-SIMS v2. */
export type SentimentTruth = TruthOf<"sentiment", number>;

export type GroundTruth = OpenTruth | DiscreteTruth | SentimentTruth;
