// R1-Omni's format: 1 where the whole completion is `<think>...</think>`, white space, `<answer>...</answer>`, else 0. What is
// inside may be anything, also nothing, and further tags; white space before or behind is too much.
import { untilEnd } from "../../text/special-tokens.ts";
import type { TermScore } from "../types.ts";

const opening = "<think>";
const closing = "</answer>";
const middle = /<\/think>\s*<answer>/;

/** By its ends and its middle: one pattern over a long completion could take quadratic time. */
export const tagsReward: TermScore = ({ rollout }) => {
  const reply = untilEnd(rollout.text);
  const hasEnds = reply.startsWith(opening) && reply.endsWith(closing);
  return hasEnds && middle.test(reply.slice(opening.length, -closing.length)) ? 1 : 0;
};
