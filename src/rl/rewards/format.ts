// R_fmt (Eq. 28): 1 when the response has a think field and an answer field with valid tags and nothing else, else 0.
import type { RewardTerm } from "../types.ts";

export function formatReward(weight = 1): RewardTerm {
  return { name: "format", weight, score: ({ response }) => (response.wellFormed ? 1 : 0) };
}
