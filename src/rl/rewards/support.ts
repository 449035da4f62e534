// The price of saying what is not there: minus the number of claims that what was shown does not support. On an intact clip that is
// precision against the annotation; on a degraded one a cue that can be read to the share r supports r of its claim, so a right
// guess costs as much as a wrong one. Beside R_omni, which pays per cue that is hit, it makes a claim worth its price only
// where it is likely enough to be right.
import { OppoError } from "../../error.ts";
import type { TermScore } from "../types.ts";

/** 0 at best. A response without claims, a malformed one too, scores 0. */
export const supportReward: TermScore = ({ claims, readable }) => {
  if (claims === undefined) {
    throw new OppoError(
      "ERR_REWARD_TERMS",
      "reward term support: expected claims that were looked up in a corpus' cues, got none. It is a term of training; leave it out here.",
    );
  }
  return 0 - claims.reduce((sum, { cue }) => sum + 1 - (cue < 0 ? 0 : (readable?.[cue] ?? 1)), 0);
};
