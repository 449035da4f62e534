// What the wheels do to a data set that a reader of its score should know: samples that no wheel scores, wheels without a
// score, and labels that stand where nobody expects them.
import { type LabelResolver, unresolved } from "../../emotion/resolver.ts";
import { groupFeeling } from "./polarity-judge.ts";
import type { ScoreNote, ScoringRules } from "./rules.ts";
import { type WheelRow, wheelMetrics } from "./wheel-f1.ts";

export function wheelNotes(
  wheels: readonly WheelRow[],
  gold: readonly (readonly string[])[],
  resolver: LabelResolver,
  rules: ScoringRules,
): ScoreNote[] {
  const numUnscored = gold.filter((list) => !list.some((label) => resolver.isKnown(label))).length;
  const without = wheels.filter(({ scores, numScored }) => numScored === 0 || Object.values(scores)[0] === null);
  const names = without.map(({ wheel, level }) => `${wheel} ${level}`).join(", ");
  const outcome = {
    undefined: "so the mean is undefined, as in the published code (--undefined-wheel zero or skip)",
    zero: "counted as 0, as in the code of 2026 (--undefined-wheel)",
    skip: "left out of the mean (--undefined-wheel)",
  }[rules.undefinedWheel];
  return [
    {
      name: "unscored",
      count: numUnscored,
      of: gold.length,
      text: 'samples annotated only with words on no wheel ("neutral" above all), which are not scored (--neutral group)',
    },
    { name: "undefined-wheel", count: without.length, text: `wheel rings without a score, ${outcome}`, detail: names },
  ];
}

/** Labels of the data set that a wheel puts where nobody expects them, or nowhere. */
export function placementNotes(gold: readonly string[], resolver: LabelResolver): ScoreNote[] {
  const level1 = wheelMetrics(resolver, "level1");
  const present = [...new Set(gold)].filter((label) => label !== "");
  const shared = level1.flatMap((metric) => {
    const ids = present.map((label) => resolver.resolve(label)[metric]!).filter((id) => id !== unresolved);
    return ids.length === new Set(ids).size ? [] : [resolver.metrics[metric]!.wheel!];
  });
  const torn = present.flatMap((label) => {
    const groups = level1.flatMap((metric) => resolver.metrics[metric]!.groups[resolver.resolve(label)[metric]!] ?? []);
    const feelings = groups.map((group) => groupFeeling[group] ?? 0);
    return feelings.includes(1) && feelings.includes(-1) ? [`${label}: ${groups.join(", ")}`] : [];
  });
  return [
    {
      name: "shared-groups",
      count: shared.length,
      text: "wheels that put several of the set's labels into one group, where they cannot be told apart",
      detail: shared.join(", "),
    },
    {
      name: "torn-labels",
      count: torn.length,
      text: "labels in pleasant groups on some wheels and in unpleasant ones on others; the tables differ in this (--lexicon)",
      detail: torn.join("; "),
    },
  ];
}
