// Who plays: the first troupe is the theatre's own; the second has other faces, voices, lines and another camera, and shows the
// same emotions in the same way. What is learnt of the first and holds for the second is about emotions.
import type { Emotion } from "./world.ts";

/** Left out of a scene: the first. */
export const troupes = ["first", "second"] as const;
export type Troupe = (typeof troupes)[number];

/** What the actors of a troupe have in common, beside the first's. */
export interface TroupeVoice {
  /** Factors on the first troupe's means. */
  readonly pitch: number;
  readonly syllableSeconds: number;
  readonly level: number;
  readonly tract: number;
}

export const troupeVoices: Readonly<Record<Troupe, TroupeVoice>> = {
  first: { pitch: 1, syllableSeconds: 1, level: 1, tract: 1 },
  second: { pitch: 1.12, syllableSeconds: 0.92, level: 0.8, tract: 1.14 },
};

export const secondLines: Readonly<Record<Emotion, readonly string[]>> = {
  happy: ["my sister comes home today", "it worked and we made it", "look at those fireworks"],
  sad: ["he never wrote back", "our old dog died last night", "i lost the ring she gave me"],
  angry: ["who told you to touch that", "i have had enough of this", "give it back right now"],
  scared: ["something moved behind us", "do not turn off the light", "it is getting closer"],
  surprised: ["you are already here", "the box was empty all along", "nobody ever guessed that"],
  calm: ["the rain has stopped", "there is room by the window", "take your time with it"],
};

export const secondNeutralLines: readonly string[] = [
  "the bus stops over there",
  "we paid for two tickets",
  "her office is upstairs",
  "the form has four pages",
];
