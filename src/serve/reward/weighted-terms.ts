// The reward's terms as a person changes them: "omni=0.2" over the paper's weights.
import { OppoError } from "../../error.ts";
import { paperTerms, type RewardTermName, rewardTerms, type WeightedTerm } from "../../rl/rewards/terms.ts";

/** @throws OppoError ERR_REWARD_TERMS */
export function weightedTerms(changes: readonly string[]): WeightedTerm[] {
  const weights = new Map<RewardTermName, number>(paperTerms.map(({ name, weight }) => [name, weight]));
  for (const change of changes) {
    const [name = "", value = ""] = change.split("=");
    const weight = Number(value);
    if (!Object.hasOwn(rewardTerms, name) || value.trim() === "" || !Number.isFinite(weight)) {
      const names = Object.keys(rewardTerms).join(", ");
      throw new OppoError(
        "ERR_REWARD_TERMS",
        `--weight: expected one of ${names} with a number, such as omni=0.5, got "${change}". Correct it.`,
      );
    }
    weights.set(name as RewardTermName, weight);
  }
  return [...weights].map(([name, weight]) => ({ name, weight }));
}
