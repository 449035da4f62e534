// Terms that somebody has to be asked for: a language model behind a server. Their scores of a whole step are fetched before
// anything is scored, since scoring itself waits for nothing. A judgement that failed is missing, which is not 0: the rollout is
// then worth, in that term, what the others of its group are worth on average, so that neither it nor they gain by the failure.
import { OppoError } from "../../error.ts";
import type { RewardContext } from "../types.ts";

/** [group][rollout], null where the judgement failed. */
export type JudgedScores = readonly (readonly (number | null)[])[];

export interface JudgedTerm {
  readonly name: string;
  readonly weight: number;
  /** Scores of 0 to 1 for every rollout of a step, group by group. @throws what ends the run */
  judge(groups: readonly (readonly RewardContext[])[]): Promise<JudgedScores>;
}

/** The scores of every term, in the terms' order. @throws OppoError ERR_REWARD_JUDGE where they do not fit the rollouts */
export async function judgeStep(
  terms: readonly JudgedTerm[],
  groups: readonly (readonly RewardContext[])[],
): Promise<JudgedScores[]> {
  return await Promise.all(
    terms.map(async (term) => {
      const scores = await term.judge(groups);
      const fits =
        scores.length === groups.length &&
        scores.every(
          (own, g) => own.length === groups[g]!.length && own.every((one) => one === null || Number.isFinite(one)),
        );
      if (fits) return scores;
      throw new OppoError(
        "ERR_REWARD_JUDGE",
        `reward term ${term.name}: expected a finite score or null for every rollout, got something else. Check the judge.`,
      );
    }),
  );
}

/** The mean of a group's known scores; 0 where none is known, which is alike for all of them. */
export function standIn(scores: readonly (number | null)[]): number {
  const known = scores.filter((score) => score !== null);
  return known.reduce((sum, score) => sum + score, 0) / Math.max(1, known.length);
}
