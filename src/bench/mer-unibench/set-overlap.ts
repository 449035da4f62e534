// What the two wheel scorers share: the groups of a list of labels per metric, and how two such sets overlap. Groups are
// small integers, so a set is a stamp in an array and even an answer of a million words costs one pass.
import { type LabelResolver, unresolved } from "../../emotion/resolver.ts";

/** The distinct group ids of one list of labels, per metric. */
export type GroupIds = readonly (readonly number[])[];

/** Above it, repeated labels are dropped before they are looked up. */
const fewLabels = 16;

/** @returns a function from labels to their groups per metric; what it returns is fresh. */
export function groupCollector(resolver: LabelResolver): (labels: readonly string[]) => GroupIds {
  const numMetrics = resolver.metrics.length;
  return (labels) => {
    const groups: number[][] = Array.from({ length: numMetrics }, () => []);
    for (const label of labels.length > fewLabels ? new Set(labels) : labels) {
      const ids = resolver.resolve(label);
      for (let m = 0; m < numMetrics; m++) {
        const id = ids[m]!;
        if (id !== unresolved && !groups[m]!.includes(id)) groups[m]!.push(id);
      }
    }
    return groups;
  };
}

export function numShared(a: readonly number[], b: readonly number[]): number {
  let shared = 0;
  for (const id of a) if (b.includes(id)) shared++;
  return shared;
}
