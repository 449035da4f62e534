// R_fmt (Eq. 28): 1 when the response has a think field and an answer field with valid tags and nothing else, else 0.
import type { TermScore } from "../types.ts";

export const formatReward: TermScore = ({ response }) => (response.wellFormed ? 1 : 0);
