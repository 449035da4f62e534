// What a claim says beyond the emotion, of clips as they are. R_omni pays for every annotated cue, so naming what goes with an emotion
// pays without a look at the clip. Here a cue that clips of the emotion have with probability p is worth 1 - p where the clip has it,
// and costs p where it has not: who guesses from the emotion earns nothing on average, and who looks earns more the less the emotion
// gave away.
import { OppoError } from "../../error.ts";
import type { RewardContext, TermScore } from "../types.ts";
import { claimsOf } from "./support.ts";

/** A sum over the modalities, of each over the number of its cues; at most 2. A cue counts once, a false claim as often as it is made. */
export const informedReward: TermScore = (context) => {
  const claims = claimsOf(context, "informed");
  const guesses = guessesOf(context);
  if (context.readable !== undefined) return 0;
  const said = new Set<number>();
  const sums = { video: 0, audio: 0 };
  claims.forEach(({ kind, cue }, i) => {
    if (cue < 0) sums[kind] -= guesses[i]!;
    else if (!said.has(cue)) sums[kind] += 1 - guesses[i]!;
    if (cue >= 0) said.add(cue);
  });
  const numCues = (modality: "video" | "audio") =>
    Math.max(1, context.sample.cues.filter(({ kind }) => kind === modality).length);
  return sums.video / numCues("video") + sums.audio / numCues("audio");
};

function guessesOf({ guesses }: RewardContext): readonly number[] {
  if (guesses !== undefined) return guesses;
  throw new OppoError(
    "ERR_REWARD_TERMS",
    "reward term informed: expected how often clips of an emotion have a cue, got none. It is a term of training; leave it out here.",
  );
}
