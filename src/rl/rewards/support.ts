// The price of saying what is not there: minus the number of claims that what is shown does not support. "support" charges them
// on degraded clips, where a cue that can be read to the share r supports r of its claim, so a right guess costs as much as a
// wrong one; "precision" on clips as they are, against the annotation. Beside R_omni, which pays for what is hit, they make a
// claim worth its price only where it is likely enough to be right.

import { OppoError } from "../../error.ts";
import type { Readability } from "../../evidence/route.ts";
import type { RewardContext, TermScore } from "../types.ts";

/** 0 at best, and for what is no degraded clip. A response without claims, a malformed one too, scores 0. */
export const supportReward: TermScore = (context) => {
  const claims = claimsOf(context, "support");
  return context.readable === undefined ? 0 : 0 - unsupported(claims, context.readable);
};

/** 0 at best, and for degraded clips. */
export const precisionReward: TermScore = (context) => {
  const claims = claimsOf(context, "precision");
  return context.readable === undefined ? 0 - unsupported(claims, null) : 0;
};

type Claims = NonNullable<RewardContext["claims"]>;

function unsupported(claims: Claims, readable: Readability | null): number {
  return claims.reduce((sum, { cue }) => sum + 1 - (cue < 0 ? 0 : (readable?.[cue] ?? 1)), 0);
}

/** @throws OppoError ERR_REWARD_TERMS where nobody looked claims up */
export function claimsOf({ claims }: RewardContext, name: string): Claims {
  if (claims !== undefined) return claims;
  throw new OppoError(
    "ERR_REWARD_TERMS",
    `reward term ${name}: expected claims that were looked up in a corpus' cues, got none. It is a term of training; leave it out here.`,
  );
}
