// Settings of an observer that a run learns of its corpus.
import { z } from "zod";
import { count } from "../../corpus/settings.ts";

export const observerSettings = z
  .strictObject({
    clips: count.default(600).describe("most clips that the observer learns from and is checked on (one in five)"),
    cues: count.default(128).describe("most cues per modality that it learns, the most frequent ones"),
    minClips: count.min(2).default(10).describe("fewest clips that must have a cue, and lack it, for it to be learnt"),
  })
  .prefault({});
