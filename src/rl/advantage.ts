// Group-relative advantages (GRPO): how much better a rollout is than the other rollouts of its prompt. The papers leave
// the scaling open: "group" is the original form (sample standard deviation, epsilon 1e-4), "none" is Dr.GRPO, "batch"
// divides by the spread of all rewards of the step. Plain numbers; no tensor.
import { OppoError } from "../error.ts";

export type AdvantageScale = "group" | "batch" | "none";

/**
 * What a reward is compared with: the mean of the whole group, or of the others in it (RLOO, Ahmadian et al. 2024), which is
 * unbiased and G / (G - 1) times as large.
 */
export type AdvantageBaseline = "group" | "leave-one-out";

/**
 * Of rewards with several terms: their weighted sum is normalised, or each term by itself and then summed, after which the whole
 * step is normalised once more (GDPO, Liu et al. 2026), so that a term with a small spread is heard too.
 */
export type AdvantageCombination = "sum-then-normalize" | "normalize-then-sum";

export interface AdvantageOptions {
  readonly baseline: AdvantageBaseline;
  readonly scale: AdvantageScale;
  /** Added to the standard deviation. 1e-4 as in TRL. */
  readonly epsilon: number;
  /** The standard deviation never counts as smaller than this, so that a spread of 1e-3 is not blown up to O(1). */
  readonly minStd: number;
}

export const defaultAdvantageOptions: AdvantageOptions = {
  baseline: "group",
  scale: "group",
  epsilon: 1e-4,
  minStd: 0,
};

export function mean(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return values.length === 0 ? 0 : sum / values.length;
}

/** Sample standard deviation (divisor n - 1); 0 for fewer than two values. */
export function sampleStd(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const centre = mean(values);
  let squares = 0;
  for (const value of values) squares += (value - centre) ** 2;
  return Math.sqrt(squares / (values.length - 1));
}

/**
 * A_i = (r_i - mean of the group) / (std + epsilon). Advantages of a group sum to zero; a group whose rewards are all
 * equal has advantage 0 throughout (its KL and perception terms still train).
 *
 * @param groups rewards[group][rollout]
 * @throws ERR_REWARD when a reward is not a finite number.
 */
export function groupAdvantages(
  groups: readonly (readonly number[])[],
  options: AdvantageOptions = defaultAdvantageOptions,
): number[][] {
  requireFinite(groups);
  const batchStd = options.scale === "batch" ? sampleStd(groups.flat()) : 0;
  return groups.map((rewards) => {
    const centre = mean(rewards);
    const others = options.baseline === "group" || rewards.length < 2 ? 1 : rewards.length / (rewards.length - 1);
    if (options.scale === "none") return rewards.map((reward) => others * (reward - centre));
    const std = options.scale === "batch" ? batchStd : sampleStd(rewards);
    const scale = Math.max(std, options.minStd) + options.epsilon;
    return rewards.map((reward) => (others * (reward - centre)) / scale);
  });
}

/** One term of the rewards of a step, with its weight. */
export interface TermRewards {
  readonly weight: number;
  /** [group][rollout]; null: not known, and worth as much as the others of its group on average. */
  readonly groups: readonly (readonly (number | null)[])[];
}

/**
 * GDPO: every term's own advantages, weighted and summed, then (A - mean) / (std + epsilon) over the whole step. A term of
 * weight 0 takes no part.
 * @throws ERR_REWARD when a reward is not a finite number.
 */
export function decoupledAdvantages(
  terms: readonly TermRewards[],
  options: AdvantageOptions = defaultAdvantageOptions,
): number[][] {
  const paid = terms.filter(({ weight }) => weight !== 0);
  const own = paid.map(({ groups }) => knownAdvantages(groups, options));
  const sums = (terms[0]?.groups ?? []).map((rewards, g) =>
    rewards.map((_, i) => paid.reduce((sum, { weight }, k) => sum + weight * own[k]![g]![i]!, 0)),
  );
  const all = sums.flat();
  const [centre, scale] = [mean(all), sampleStd(all) + options.epsilon];
  return sums.map((group) => group.map((value) => (value - centre) / scale));
}

/** Over the rewards of a group that are known; 0 for the others. @throws ERR_REWARD as groupAdvantages */
export function knownAdvantages(
  groups: readonly (readonly (number | null)[])[],
  options: AdvantageOptions,
): number[][] {
  const known = groupAdvantages(
    groups.map((rewards) => rewards.filter((reward) => reward !== null)),
    options,
  );
  return groups.map((rewards, g) => {
    let next = 0;
    return rewards.map((reward) => (reward === null ? 0 : known[g]![next++]!));
  });
}

function requireFinite(groups: readonly (readonly number[])[]): void {
  for (const [g, rewards] of groups.entries()) {
    for (const [i, reward] of rewards.entries()) {
      if (Number.isFinite(reward)) continue;
      throw new OppoError(
        "ERR_REWARD",
        `groupAdvantages: expected a finite reward, got ${reward} for rollout ${i} of group ${g}. Check the reward terms.`,
      );
    }
  }
}
