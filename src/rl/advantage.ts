// Group-relative advantages (GRPO): how much better a rollout is than the other rollouts of its prompt. The papers leave
// the scaling open: "group" is the original form (sample standard deviation, epsilon 1e-4), "none" is Dr.GRPO, "batch"
// divides by the spread of all rewards of the step. Plain numbers; no tensor.
import { OppoError } from "../error.ts";

export type AdvantageScale = "group" | "batch" | "none";

export interface AdvantageOptions {
  readonly scale: AdvantageScale;
  /** Added to the standard deviation. 1e-4 as in TRL. */
  readonly epsilon: number;
  /** The standard deviation never counts as smaller than this, so that a spread of 1e-3 is not blown up to O(1). */
  readonly minStd: number;
}

export const defaultAdvantageOptions: AdvantageOptions = { scale: "group", epsilon: 1e-4, minStd: 0 };

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
  for (const [g, rewards] of groups.entries()) {
    for (const [i, reward] of rewards.entries()) {
      if (!Number.isFinite(reward)) {
        throw new OppoError(
          "ERR_REWARD",
          `groupAdvantages: expected a finite reward, got ${reward} for rollout ${i} of group ${g}. Check the reward terms.`,
        );
      }
    }
  }
  const batchStd = options.scale === "batch" ? sampleStd(groups.flat()) : 0;
  return groups.map((rewards) => {
    const centre = mean(rewards);
    if (options.scale === "none") return rewards.map((reward) => reward - centre);
    const std = options.scale === "batch" ? batchStd : sampleStd(rewards);
    const scale = Math.max(std, options.minStd) + options.epsilon;
    return rewards.map((reward) => (reward - centre) / scale);
  });
}
