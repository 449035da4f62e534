// Hit rate of single-label data sets: per wheel, the share of samples whose label's group is among the predicted groups;
// then the mean over wheels. It has no penalty for long answers (naming every class hits always), so the guard score
// stands beside it: the hit divided by the number of the data set's own groups that the answer names.
import { type LabelResolver, unresolved } from "../../emotion/resolver.ts";
import type { ScoringRules } from "./rules.ts";
import { groupCollector } from "./set-overlap.ts";
import { type SumStatistic, type SumTable, SumTableBuilder } from "./sum-table.ts";
import { meanOverWheels, wheelMetrics } from "./wheel-f1.ts";

/** Columns per wheel: hits, guarded hits, number of scored samples. */
const width = 3;

export interface WheelHits {
  readonly hitRate: number;
  readonly guarded: number;
  readonly numScored: number;
}

/** @param gold one label per sample. */
export function hitTable(
  resolver: LabelResolver,
  gold: readonly string[],
  predicted: readonly (readonly string[])[],
): SumTable {
  const collect = groupCollector(resolver);
  const wheels = wheelMetrics(resolver, "level1");
  const goldIds = gold.map((label) => resolver.resolve(label));
  const spaces = wheels.map((metric) => new Set(goldIds.map((ids) => ids[metric]!)));
  const builder = new SumTableBuilder(gold.length, wheels.length * width);
  const row = new Float64Array(wheels.length * width);
  for (let i = 0; i < gold.length; i++) {
    const groups = collect(predicted[i]!);
    row.fill(0);
    wheels.forEach((metric, w) => {
      const wanted = goldIds[i]![metric]!;
      if (wanted === unresolved) return;
      row[w * width + 2] = 1;
      const given = groups[metric]!;
      if (!given.includes(wanted)) return;
      row[w * width] = 1;
      row[w * width + 1] = 1 / given.filter((id) => spaces[w]!.has(id)).length;
    });
    builder.add(row);
  }
  return builder.finish();
}

/** Samples that hit on some wheel with an answer that names other groups of the set too. */
export function numUndecided({ kinds, kindOf, numColumns }: SumTable): number {
  const isUndecided = Array.from({ length: kinds.length / numColumns }, (_, kind) =>
    Array.from({ length: numColumns / width }, (_, w) => kind * numColumns + w * width).some(
      (at) => kinds[at]! === 1 && kinds[at + 1]! < 1,
    ),
  );
  return kindOf.reduce((count, kind) => count + (isUndecided[kind] ? 1 : 0), 0);
}

export function wheelHits(sums: ArrayLike<number>, wheel: number, rule: ScoringRules["undefinedWheel"]): WheelHits {
  const numScored = sums[wheel * width + 2]!;
  const empty = rule === "zero" ? 0 : Number.NaN;
  return {
    hitRate: numScored === 0 ? empty : sums[wheel * width]! / numScored,
    guarded: numScored === 0 ? empty : sums[wheel * width + 1]! / numScored,
    numScored,
  };
}

export function hitStatistic(numWheels: number, rule: ScoringRules["undefinedWheel"]): SumStatistic {
  return {
    names: ["hitRate", "guarded"],
    compute(sums, scores) {
      const wheels = Array.from({ length: numWheels }, (_, w) => wheelHits(sums, w, rule));
      scores[0] = meanOverWheels(
        wheels.map(({ hitRate }) => hitRate),
        rule,
      );
      scores[1] = meanOverWheels(
        wheels.map(({ guarded }) => guarded),
        rule,
      );
    },
  };
}
