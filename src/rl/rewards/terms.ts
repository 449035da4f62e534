// Every reward term by name. A new one is a file beside this one and a line here: then `reward.terms` of a configuration takes
// it, in training and in the reward server alike.
import type { EmotionScore } from "../../emotion/score.ts";
import { OppoError } from "../../error.ts";
import type { CoverageOptions } from "../../evidence/route.ts";
import type { RewardTerm, TermScore } from "../types.ts";
import { accuracyReward } from "./accuracy.ts";
import { formatReward } from "./format.ts";
import { informedReward } from "./informed.ts";
import { labelReward } from "./label.ts";
import { omniReward } from "./omni.ts";
import { precisionReward, supportReward } from "./support.ts";
import { tagsReward } from "./tags.ts";
import { verdictReward } from "./verdict.ts";

/** What terms may need beside a rollout: the same for the whole run. */
export interface RewardSetting extends CoverageOptions {
  readonly emotionScore: EmotionScore;
  /** delta of the hit score (Eq. 3). */
  readonly similarityThreshold: number;
}

export const rewardTerms = {
  /** R_acc */
  accuracy: ({ emotionScore }) => accuracyReward(emotionScore),
  /** R_fmt */
  format: () => formatReward,
  /** R_omni */
  omni: (setting) => omniReward(setting),
  /** Minus the claims that a degraded clip does not support */
  support: () => supportReward,
  /** Minus the claims about clips as they are that are not among their cues */
  precision: () => precisionReward,
  /** What claims about clips as they are say beyond what the emotion suggests */
  informed: () => informedReward,
  /** Whether a probe is answered rightly */
  verdict: () => verdictReward,
  /** R1-Omni's accuracy */
  label: () => labelReward,
  /** R1-Omni's format */
  tags: () => tagsReward,
} satisfies Record<string, (setting: RewardSetting) => TermScore>;

/** Terms that need to know what is claimed. */
export const claimTerms: readonly RewardTermName[] = ["support", "precision", "informed"];
/** Of these, those that need to know how much of a claim the emotion gave away. */
export const priorTerms: readonly RewardTermName[] = ["informed"];
/** Terms that need more than a completion and its clip's annotation: a corpus to look claims up in, a step that asks probes. */
export const trainingTerms: readonly RewardTermName[] = [...claimTerms, "verdict"];

export type RewardTermName = keyof typeof rewardTerms;

/** Example: `{ name: "omni", weight: 0.5 }`. A term of weight 0 is measured and not paid for. */
export interface WeightedTerm {
  readonly name: RewardTermName;
  readonly weight: number;
}

/** Eq. 5: R_acc + R_fmt + alpha R_omni, alpha 0.5 in the paper, which saw late format collapse from 0.6 on. */
export const paperTerms: readonly WeightedTerm[] = [
  { name: "accuracy", weight: 1 },
  { name: "format", weight: 1 },
  { name: "omni", weight: 0.5 },
];

/** Names that logs use for something else. */
const reserved = ["reward", "total", "text", "advantage", "sample", "step", "problem"];

/** What keeps a list of terms from being one, or null. */
export function termProblem(terms: readonly { readonly name: string }[]): string | null {
  const names = terms.map(({ name }) => name);
  const doubled = names.find((name, i) => names.indexOf(name) !== i);
  if (doubled !== undefined) return `expected every reward term once, got "${doubled}" twice`;
  const taken = names.find((name) => reserved.includes(name));
  return taken === undefined ? null : `expected a name that logs do not use, got "${taken}"`;
}

/** @throws OppoError ERR_REWARD_TERMS for doubled or reserved names */
export function makeTerms(terms: readonly WeightedTerm[], setting: RewardSetting): RewardTerm[] {
  const problem = termProblem(terms);
  if (problem !== null) throw new OppoError("ERR_REWARD_TERMS", `reward.terms: ${problem}. Rename or remove it.`);
  return terms.map(({ name, weight }) => ({ name, weight, score: whereItApplies(name, rewardTerms[name](setting)) }));
}

/** What counts of an answer to a probe: its form and what it says. All other terms are about an account of the clip. */
const ofProbes: readonly RewardTermName[] = ["format", "tags", "verdict"];

function whereItApplies(name: RewardTermName, score: TermScore): TermScore {
  return ofProbes.includes(name) ? score : (context) => (context.asked === undefined ? score(context) : 0);
}
