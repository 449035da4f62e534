// Pairs for a calibration from a corpus that nobody has paraphrased. What its annotation does say: an emotion cue of a
// sample with one label states that label; two cues of one sample and kind are two observations; texts that differ in
// function words and word forms only are one.
import type { Sample } from "../../data/sample.ts";
import { contentRuns, phraseFeatures } from "../../evidence/phrase-features.ts";
import {
  defaultPairLimits,
  differentPairs,
  type IndexPair,
  type PairLimits,
  type PhrasePairs,
  requireBoth,
  samePairs,
  sampled,
} from "../../evidence/phrase-pairs.ts";
import { createRandom } from "../../random.ts";
import { deriveSeed } from "../../seeds.ts";

/** @throws OppoError ERR_CALIBRATION when the corpus gives no pair of one of the two sorts */
export function samplePairs(samples: readonly Sample[], limits: PairLimits = defaultPairLimits): PhrasePairs {
  const texts = new Table();
  const groups = new Table();
  const groupOf: number[] = [];
  const emotions: number[] = [];
  const neighbours: IndexPair[] = [];
  for (const { cues, labels } of samples) {
    const [label] = labels;
    const isOne = labels.length === 1;
    const rows = cues.map(({ kind, text }) => {
      const isEmotion = kind === "emotion" && isOne;
      const key = isEmotion ? `emotion ${label!.trim().toLowerCase()}` : `words ${wordKey(text)}`;
      const row = texts.rowOf(`${key}\u0000${text}`);
      if (row === groupOf.length) {
        groupOf.push(groups.rowOf(key));
        if (isEmotion) emotions.push(row);
      }
      return { row, kind };
    });
    for (const [i, left] of rows.entries()) {
      for (const right of rows.slice(i + 1)) {
        const isTwo = left.kind === right.kind && left.kind !== "emotion" && groupOf[left.row] !== groupOf[right.row];
        if (isTwo) neighbours.push(ordered(left.row, right.row));
      }
    }
  }
  const random = createRandom(deriveSeed(limits.seed, "sample-pairs"));
  const felt = differentPairs(
    emotions.map((row) => groupOf[row]!),
    limits.maxPairs,
    random,
  ).map(([a, b]) => ordered(emotions[a]!, emotions[b]!));
  return requireBoth(
    {
      texts: texts.names().map((name) => name.slice(name.indexOf("\u0000") + 1)),
      groups: groupOf,
      same: sampled(samePairs(groupOf), limits.maxPairs, random),
      different: sampled(distinct([...neighbours, ...felt]), limits.maxPairs, random),
    },
    "samples with several cues, and emotion cues in different words",
  );
}

function wordKey(text: string): string {
  const key = phraseFeatures(contentRuns(text)).sort().join(" ");
  // Nothing but function words: the text stands for itself.
  return key === "" ? text : key;
}

function ordered(a: number, b: number): IndexPair {
  return a < b ? [a, b] : [b, a];
}

function distinct(pairs: readonly IndexPair[]): IndexPair[] {
  return [...new Map(pairs.map((pair) => [pair.join(), pair])).values()];
}

/** Rows by name, in order of appearance. */
class Table {
  readonly #rows = new Map<string, number>();
  rowOf(name: string): number {
    const row = this.#rows.get(name) ?? this.#rows.size;
    this.#rows.set(name, row);
    return row;
  }
  names(): string[] {
    return [...this.#rows.keys()];
  }
}
