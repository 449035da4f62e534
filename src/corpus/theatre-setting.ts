// What the demo's tasks share: the cue bank, the embedder and the emotion score of
// the theatre.
import { buildCueBank, type CueBank } from "../bench/cue-bank.ts";
import type { Sample } from "../data/sample.ts";
import { allCues, phraseGroups, promptText } from "../data/theatre/script.ts";
import { cuePhrases, emotionWords } from "../data/theatre/world.ts";
import { setF1 } from "../emotion/set-f1.ts";
import { singleWheelLexicon } from "../emotion/wheel.ts";
import { fitBuiltinEmbedder } from "../evidence/builtin-embedder.ts";
import type { Cue, Embedder } from "../evidence/cue.ts";
import type { EmotionScore } from "../rl/rewards/accuracy.ts";

export function theatreEmbedder(): Embedder {
  return fitBuiltinEmbedder(phraseGroups());
}

export const theatreEmotionScore: EmotionScore = (() => {
  const lexicon = singleWheelLexicon("theatre", emotionWords);
  return (predicted, labels) => setF1(predicted, labels, lexicon);
})();

/** Every cue of the world by its first phrase. */
export function theatreCueBank(embedder: Embedder): Promise<CueBank> {
  const cues = allCues.map((cue): Cue => ({ kind: cue.modality, text: cuePhrases[cue.key][0] }));
  return buildCueBank(cues, embedder);
}

/** A user turn about a sample: its line, when there is one, then the question. */
export function theatrePrompt(sample: Sample, question?: string): string {
  return promptText(sample.subtitle, question);
}
