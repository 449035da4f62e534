// R1-Omni's accuracy: 1 where the first answer block is the label, letter by letter, else 0. Hard on purpose: "Sad" and "sad."
// are wrong, and a bare "sad" without tags is right (it earns no tags reward).
import { untilEnd } from "../../text/special-tokens.ts";
import type { TermScore } from "../types.ts";

/** A line break inside a block makes it none, and the next one counts. */
const block = /<answer>([^\n]*?)<\/answer>/;

/** Several labels are one text, with ", " between them. A text without a block is compared as a whole. */
export const labelReward: TermScore = ({ rollout, sample }) => {
  const reply = untilEnd(rollout.text);
  const said = block.exec(reply)?.[1] ?? reply;
  return said.trim() === sample.labels.join(", ").trim() ? 1 : 0;
};
