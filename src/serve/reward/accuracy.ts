// R_acc of the reward server (Eq. 27): the emotion-wheel F1 with the lexicons of `oppo score`, the theatre's wheel, or the
// very words. Labels come again and again, so their groups are remembered.
import type { EmotionScore } from "../../bench/emotion-score.ts";
import { chooseLexicon } from "../../corpus/lexicons.ts";
import { exactScore } from "../../corpus/setting.ts";
import { theatreEmotionScore } from "../../corpus/theatre-setting.ts";
import { normaliseLabels } from "../../emotion/labels.ts";
import { labelResolver, unresolved } from "../../emotion/resolver.ts";
import { setScore } from "../../emotion/set-f1.ts";
import { type EmotionLexicon, lexiconHash } from "../../emotion/wheel.ts";

export interface ChosenAccuracy {
  readonly score: EmotionScore;
  /** Stamped into answers. */
  readonly name: string;
  readonly note: string;
}

/** @throws OppoError ERR_LEXICON_UNKNOWN */
export function chooseAccuracy(choice: string | null, isTheatre: boolean, home: string): ChosenAccuracy {
  if (choice === "theatre" || (choice === null && isTheatre)) {
    return {
      score: theatreEmotionScore,
      name: "theatre",
      note: "accuracy: F1 of the answer's groups on the theatre's wheel",
    };
  }
  if (choice === "exact") return { score: exactScore, name: "exact", note: "accuracy: F1 of the answer's very words" };
  const lexicon = chooseLexicon(choice, home);
  const name = `${lexicon.name} (${lexiconHash(lexicon)})`;
  const note = `accuracy: emotion-wheel F1, mean of ${lexicon.wheels.length} wheels, lexicon ${name}`;
  return { score: wheelScore(lexicon), name, note };
}

/** setF1 over the inner rings, with every label's groups looked up once. */
export function wheelScore(lexicon: EmotionLexicon): EmotionScore {
  const resolver = labelResolver(lexicon, { wheelsOnly: true });
  const wheels = resolver.metrics.flatMap(({ level }, metric) => (level === "level1" ? [metric] : []));
  const groups = (labels: readonly Int32Array[], metric: number) => {
    const ids = new Set<string>();
    for (const own of labels) if (own[metric] !== unresolved) ids.add(String(own[metric]));
    return ids;
  };
  return (predicted, gold) => {
    const predictedIds = normaliseLabels(predicted).map((label) => resolver.resolve(label));
    const goldIds = normaliseLabels(gold).map((label) => resolver.resolve(label));
    const sum = wheels.reduce(
      (total, metric) => total + setScore(groups(predictedIds, metric), groups(goldIds, metric)).f1,
      0,
    );
    return wheels.length === 0 ? 0 : sum / wheels.length;
  };
}
