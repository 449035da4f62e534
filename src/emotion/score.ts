// How well predicted emotion words match the labels of one sample: the accuracy reward R_acc (Eq. 27) and the emotion scores of
// the benches. Benchmarks of data sets average precision and recall over all samples before they take F1; this has one only.
import { normaliseLabels } from "./labels.ts";
import { labelResolver, unresolved } from "./resolver.ts";
import { type EmotionLexicon, lexiconHash, singleWheelLexicon } from "./wheel.ts";

/** Score of predicted words against the labels, in [0, 1]. Labels may be in any case. */
export type EmotionScore = (predicted: readonly string[], labels: readonly string[]) => number;

/** A score with what it is called: stamped into results, since the choice moves numbers by points. */
export interface NamedEmotionScore {
  /** Example: "affectgpt 0f3a9c1d22e4" */
  readonly name: string;
  /** A line for the log. */
  readonly note: string;
  readonly score: EmotionScore;
}

export interface SetScore {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** |G and Q| / |Q|, |G and Q| / |G| and their harmonic mean, for predicted groups Q and gold groups G; 0 where undefined. */
export function setScore<T>(predicted: ReadonlySet<T>, gold: ReadonlySet<T>): SetScore {
  let shared = 0;
  for (const group of predicted) if (gold.has(group)) shared++;
  if (shared === 0) return { precision: 0, recall: 0, f1: 0 };
  const precision = shared / predicted.size;
  const recall = shared / gold.size;
  return { precision, recall, f1: (2 * precision * recall) / (precision + recall) };
}

/**
 * R_acc: mean over the lexicon's wheels of the F1 between the inner-ring groups of the predicted and of the gold labels;
 * labels that resolve on no wheel cost nothing, and a wheel on which no gold label resolves counts 0, as in the public
 * reward code: even a perfect answer may stay below 1. Labels come again and again, so their groups are remembered.
 */
export function setF1(lexicon: EmotionLexicon): EmotionScore {
  const resolver = labelResolver(lexicon, { wheelsOnly: true });
  const wheels = resolver.metrics.flatMap(({ level }, metric) => (level === "level1" ? [metric] : []));
  const groups = (labels: readonly Int32Array[], metric: number) =>
    new Set(labels.map((own) => own[metric]!).filter((group) => group !== unresolved));
  return (predicted, gold) => {
    const predictedIds = normaliseLabels(predicted).map((label) => resolver.resolve(label));
    const goldIds = normaliseLabels(gold).map((label) => resolver.resolve(label));
    let sum = 0;
    for (const metric of wheels) sum += setScore(groups(predictedIds, metric), groups(goldIds, metric)).f1;
    return wheels.length === 0 ? 0 : sum / wheels.length;
  };
}

/** F1 of two sets of words, upper and lower case alike: RLVR's reward, and what is left where no wheel is wanted. */
export const exactWords: NamedEmotionScore = {
  name: "exact",
  note: "accuracy: F1 of the answer's very words",
  score: (predicted, labels) => setScore(new Set(normaliseLabels(predicted)), new Set(normaliseLabels(labels))).f1,
};

/** Eq. 27 with the lexicon's wheels. */
export function wheelsOf(lexicon: EmotionLexicon): NamedEmotionScore {
  const name = `${lexicon.name} ${lexiconHash(lexicon)}`;
  const { length } = lexicon.wheels;
  return {
    name,
    note: `accuracy: emotion-wheel F1, mean of ${length} wheels, lexicon ${name}`,
    score: setF1(lexicon),
  };
}

/** A closed vocabulary: group -> words that count as the same answer. @throws OppoError ERR_EMOTION_AMBIGUOUS_WORD */
export function groupsOf(name: string, groups: Readonly<Record<string, readonly string[]>>): NamedEmotionScore {
  const words = Object.entries(groups).map(([group, own]) => [group, normaliseLabels(own)] as const);
  const lexicon = singleWheelLexicon(name, Object.fromEntries(words));
  return {
    name: `${name} ${lexiconHash(lexicon)}`,
    note: `accuracy: F1 of the answer's groups, ${words.length} groups of ${name}`,
    score: setF1(lexicon),
  };
}
