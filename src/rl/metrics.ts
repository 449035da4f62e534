// Numbers of one step under the names that dashboards expect (TRL's spelling; ours under omni/). Host arithmetic only;
// the caller logs them.
import { mean, sampleStd } from "./advantage.ts";
import type { ScoredGroup } from "./types.ts";

export type StepMetrics = Record<string, number>;

/** Sums, counts and extremes that chunks add to. */
export class MetricSums {
  readonly #sums = new Map<string, number>();
  readonly #maxima = new Map<string, number>();

  add(name: string, value: number): void {
    this.#sums.set(name, (this.#sums.get(name) ?? 0) + value);
  }

  /** The sums whose names start so. */
  withPrefix(prefix: string): StepMetrics {
    return Object.fromEntries([...this.#sums].filter(([name]) => name.startsWith(prefix)));
  }

  max(name: string, value: number): void {
    this.#maxima.set(name, Math.max(this.#maxima.get(name) ?? Number.NEGATIVE_INFINITY, value));
  }

  sum(name: string): number {
    return this.#sums.get(name) ?? 0;
  }

  /** 0 when nothing was added. */
  maximum(name: string): number {
    return this.#maxima.get(name) ?? 0;
  }

  /** Sum of one name over the sum of another; 0 when there is nothing to divide by. */
  ratio(name: string, by: string): number {
    const divisor = this.sum(by);
    return divisor === 0 ? 0 : this.sum(name) / divisor;
  }
}

/** Rewards, lengths and evidence of the sampled groups. Standard deviations are those of a sample (n - 1). */
export function rolloutMetrics(groups: readonly ScoredGroup[]): StepMetrics {
  const rollouts = groups.flatMap((group) => group.rollouts);
  const lengths = rollouts.map((scored) => scored.rollout.ids.length);
  const rewards = rollouts.map((scored) => scored.rewards.total);
  const stds = groups.map((group) => sampleStd(group.rollouts.map((scored) => scored.rewards.total)));
  const withEvidence = rollouts.filter(({ evidence }) => evidence.video.length + evidence.audio.length > 0);
  const metrics: StepMetrics = {
    num_tokens: lengths.reduce((sum, length) => sum + length, 0),
    "completions/mean_length": mean(lengths),
    "completions/min_length": Math.min(...lengths),
    "completions/max_length": Math.max(...lengths),
    "completions/clipped_ratio": mean(rollouts.map((scored) => (scored.rollout.truncated ? 1 : 0))),
    reward: mean(rewards),
    reward_std: mean(stds),
    frac_reward_zero_std: mean(stds.map((std) => (std === 0 ? 1 : 0))),
    "omni/evidence_tokens_v": mean(rollouts.map((scored) => scored.evidence.video.length)),
    "omni/evidence_tokens_a": mean(rollouts.map((scored) => scored.evidence.audio.length)),
    "omni/frac_rollouts_with_evidence": withEvidence.length / Math.max(1, rollouts.length),
    "omni/clauses": mean(rollouts.map((scored) => scored.clauses.length)),
  };
  for (const name of Object.keys(rollouts[0]?.rewards.parts ?? {})) {
    const parts = rollouts.map((scored) => scored.rewards.parts[name]!);
    metrics[`rewards/${name}/mean`] = mean(parts);
    metrics[`rewards/${name}/std`] = sampleStd(parts);
  }
  return metrics;
}
