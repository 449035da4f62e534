// R_omni (Eq. 2 to 4), the omni-perception reward: how well the clauses of the reasoning cover the annotated cues.
// Read from the same evidence routing as the perception objective.
import { type CoverageOptions, coverage } from "../../evidence/route.ts";
import type { TermScore } from "../types.ts";

export interface OmniRewardOptions extends CoverageOptions {
  /** delta, 0.5 in the paper. */
  readonly similarityThreshold: number;
}

/** Between 0 and 3 (`combine: "sum"`, Eq. 4 as printed). A reasoning without clauses scores 0. */
export function omniReward(options: OmniRewardOptions): TermScore {
  return ({ routing, readable }) => coverage(routing, options.similarityThreshold, options, readable).total;
}
