// The reward's terms as a person changes them: "omni=0.2" over the paper's weights.
import { OppoError } from "../../error.ts";
import {
  paperTerms,
  type RewardTermName,
  rewardTerms,
  trainingTerms,
  type WeightedTerm,
} from "../../rl/rewards/terms.ts";

/** Those that need nothing but a completion and its clip's annotation. */
const offered = Object.keys(rewardTerms).filter((name) => !trainingTerms.includes(name as RewardTermName));

/** @throws OppoError ERR_REWARD_TERMS */
export function weightedTerms(changes: readonly string[]): WeightedTerm[] {
  const weights = new Map<RewardTermName, number>(paperTerms.map(({ name, weight }) => [name, weight]));
  for (const change of changes) {
    const [name = "", value = ""] = change.split("=");
    const weight = Number(value);
    if (!offered.includes(name) || value.trim() === "" || !Number.isFinite(weight)) {
      const why = trainingTerms.includes(name as RewardTermName) ? ", which only a training of ours can pay" : "";
      throw new OppoError(
        "ERR_REWARD_TERMS",
        `--weight: expected one of ${offered.join(", ")} with a number, such as omni=0.5, got "${change}"${why}. Correct it.`,
      );
    }
    weights.set(name as RewardTermName, weight);
  }
  return [...weights].map(([name, weight]) => ({ name, weight }));
}
