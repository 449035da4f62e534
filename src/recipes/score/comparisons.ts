// Systems in pairs, set by set and on the mean. A difference between polarities of two sources (words that were given, the
// wheels, a language model) is one of the sources as much as of the systems: it is marked, and no p-value stands beside it.
import { type MeanScore, pairedScores } from "../../bench/mer-unibench/compare.ts";
import type { ScoredSet } from "../../bench/mer-unibench/score-set.ts";
import type { Comparison } from "./report.ts";

export interface Compared {
  readonly name: string;
  readonly sets: readonly {
    readonly scored: ScoredSet;
    readonly details: { readonly title: string; readonly polaritySource: string | null };
  }[];
  readonly mean: MeanScore | null;
}

/** Every two systems, on every set and on the mean where both have one. */
export function comparisons(systems: readonly Compared[], confidence: number): Comparison[] {
  const pairs = systems.flatMap((first, i) => systems.slice(i + 1).map((second) => [first, second] as const));
  return pairs.flatMap(([first, second]) => {
    const mixed = first.sets.map((set, s) => mixedSources(set.details, second.sets[s]!.details));
    const onSets = first.sets.map((set, s) => ({
      on: set.details.title,
      difference: pairedScores(measured(set), measured(second.sets[s]!), confidence),
      mixedPolarity: mixed[s]!,
    }));
    const onMean =
      first.mean === null || second.mean === null
        ? []
        : [
            {
              on: "mean",
              difference: pairedScores(first.mean, second.mean, confidence),
              mixedPolarity: mixed.find((sources) => sources !== null) ?? null,
            },
          ];
    return [...onSets, ...onMean].map(({ difference, ...row }) => ({
      ...{ first: first.name, second: second.name },
      ...row,
      difference: row.mixedPolarity === null ? difference : { ...difference, pValue: null },
    }));
  });
}

function measured({ scored: { score: set, draws } }: Compared["sets"][number]) {
  return { metric: set.metrics[set.primary]!, draws };
}

type Details = Compared["sets"][number]["details"];

function mixedSources(first: Details, second: Details): Comparison["mixedPolarity"] {
  const [one, other] = [first.polaritySource, second.polaritySource];
  return one === null || other === null || one === other ? null : [one, other];
}
