// Compares the scored rollouts of a step: which advantage each has over the others of its prompt, as a whole and, for terms that
// answer for a part of a completion only, on the tokens of that part (HumanOmni-V2 credits its context score to the context).
import {
  type AdvantageCombination,
  type AdvantageOptions,
  decoupledAdvantages,
  groupAdvantages,
  knownAdvantages,
} from "../advantage.ts";
import type { AdvantageSpan, RewardBreakdown, ScoredGroup, ScoredRollout } from "../types.ts";
import { standIn } from "./judged.ts";

/** A part of a completion: what it says of the clip, or what it thinks; both begin with the completion. */
export type SpanName = "context" | "think";

/** A reward term whose advantage goes to a span's tokens alone. */
export interface TermSpan {
  readonly term: string;
  readonly span: SpanName;
}

/** A term that is paid for. */
interface PaidTerm {
  readonly name: string;
  readonly weight: number;
}

export interface CompareOptions {
  /** All terms of the total, judged ones and the punishment of length among them. */
  readonly terms: readonly PaidTerm[];
  readonly advantage: AdvantageOptions;
  readonly combination: AdvantageCombination;
  readonly spans: readonly TermSpan[];
}

/** What of a rollout decides its advantage. */
export type Comparable = Omit<ScoredRollout, "advantage" | "spans">;

/**
 * Scored rollouts with their advantages. A term with a span takes no part in the advantage of the whole; where a rollout has no
 * such span, its term teaches nothing about it.
 * @param groups [group][rollout]
 */
export function compareRollouts(
  groups: readonly (readonly Comparable[])[],
  options: CompareOptions,
): ScoredRollout[][] {
  const whole = wholeAdvantages(groups, options);
  const bySpan = options.spans.flatMap(({ term, span }) => {
    const weight = options.terms.find(({ name }) => name === term)?.weight ?? 0;
    if (weight === 0) return [];
    return [{ span, weight, advantages: knownAdvantages(partsOf(groups, term), options.advantage) }];
  });
  return groups.map((rollouts, g) =>
    rollouts.map((rollout, i): ScoredRollout => {
      const advantage = whole[g]![i]!;
      if (bySpan.length === 0) return { ...rollout, advantage };
      const spans = bySpan.map(
        ({ span, weight, advantages }): AdvantageSpan => ({
          end: spanEnd(rollout, span),
          advantage: weight * advantages[g]![i]!,
        }),
      );
      return { ...rollout, advantage, spans };
    }),
  );
}

/** Whether the rollouts of a group differ in what they are paid, so that one can be preferred to another. */
export function hasSpread(rollouts: readonly Pick<ScoredRollout, "rewards">[], options: CompareOptions): boolean {
  const differ = (values: readonly (number | undefined)[]) => values.some((value) => value !== values[0]);
  if (options.combination === "sum-then-normalize" && options.spans.length === 0) {
    return differ(rollouts.map(({ rewards }) => rewards.total));
  }
  return options.terms.some(
    ({ name, weight }) => weight !== 0 && differ(rollouts.map(({ rewards }) => rewards.parts[name])),
  );
}

/** The groups again, compared anew: other groups stand beside them now, where a step's spread counts. */
export function compareAgain(groups: readonly ScoredGroup[], options: CompareOptions): ScoredGroup[] {
  const compared = compareRollouts(
    groups.map(({ rollouts }) => rollouts),
    options,
  );
  return groups.map((group, g) => ({ ...group, rollouts: compared[g]! }));
}

function wholeAdvantages(
  groups: readonly (readonly Comparable[])[],
  { terms, advantage, combination, spans }: CompareOptions,
): number[][] {
  const ofSpans = new Set(spans.map(({ term }) => term));
  const own = terms.filter(({ name }) => !ofSpans.has(name));
  if (combination === "normalize-then-sum") {
    const paid = own.map(({ name, weight }) => ({ weight, groups: partsOf(groups, name) }));
    return decoupledAdvantages(paid, advantage);
  }
  const totals = groups.map((rollouts) => rollouts.map(({ rewards }) => rewards.total));
  return groupAdvantages(spans.length === 0 ? totals : totalsOf(groups, own), advantage);
}

function totalsOf(groups: readonly (readonly Comparable[])[], terms: readonly PaidTerm[]): number[][] {
  const totals = groups.map((rollouts) => rollouts.map(() => 0));
  for (const { name, weight } of terms) {
    for (const [g, parts] of partsOf(groups, name).entries()) {
      for (const [i, part] of parts.entries()) totals[g]![i]! += weight * (part ?? standIn(parts));
    }
  }
  return totals;
}

function partsOf(groups: readonly (readonly { readonly rewards: RewardBreakdown }[])[], name: string) {
  return groups.map((rollouts) => rollouts.map(({ rewards }) => rewards.parts[name] ?? null));
}

/**
 * The number of tokens that begin before the span's closing tag; 0 where the completion has no such span. Without a context block
 * what is said of the clip is the reasoning, as judges read it.
 */
function spanEnd({ rollout, response }: Comparable, span: SpanName): number {
  const context = span === "context" ? /<context>[\s\S]*?(?=<\/context>)/.exec(rollout.text) : null;
  const char = context === null ? (response.think?.chars.end ?? 0) : context.index + context[0].length;
  let at = 0;
  let end = 0;
  for (const piece of rollout.pieces) {
    if (at >= char) break;
    at += piece.length;
    end++;
  }
  return end;
}
