// A corpus that knows its clips entirely brings its own setting: an embedder of its phrases, a wheel of its emotion words,
// questions in its words. Whoever works with a corpus asks for its kind and never for the theatre.
import type { CueBank } from "../bench/cue-bank.ts";
import type { MepProbeOptions, SelectionOptions } from "../bench/mep-set.ts";
import type { AbsenceOf } from "../bench/said.ts";
import type { Sample } from "../data/sample.ts";
import type { NamedEmotionScore } from "../emotion/score.ts";
import type { Cue, Embedder } from "../evidence/cue.ts";

export interface CorpusKind {
  /** Also the choice of its embedder and of its emotion score. */
  readonly name: string;
  /** A line for the log. */
  readonly note: string;
  /** Whether the sample is of this kind. */
  readonly owns: (sample: Sample) => boolean;
  readonly embedder: () => Embedder;
  readonly emotion: NamedEmotionScore;
  /** Asks for a reasoning. */
  readonly question: string;
  /** The user turn about a sample: its line, when there is one, then the question. */
  readonly userTurn: (subtitle: string, question: string) => string;
  /** The same turn as a template, for a clip with a line (`Wording.spoken`). */
  readonly spoken: string;
  /** The chat template of models that know its words only. */
  readonly chatTemplate: string;
  /** Every cue that a clause can state. */
  readonly bank: (embedder: Embedder) => Promise<CueBank>;
  /** Whether the other modality suggests a cue: only then is it asked for while masked. */
  readonly isTypical: (sample: Sample, cue: Cue) => boolean;
  /** Whether the clip's emotion suggests a cue, which the clip may have or not. */
  readonly fitsEmotion: (sample: Sample, cue: Cue) => boolean;
  /** Its phrases for a modality that shows nothing, and for one that cannot be perceived. */
  readonly absenceOf: AbsenceOf;
  /** The attribute that a cue is a state of: a clip has one state of each. */
  readonly attributeOf: (cue: Cue) => string | null;
  /** What of a MEP set's settings is not as for other corpora. */
  readonly setOptions: Partial<SelectionOptions & MepProbeOptions>;
}
