// What the theatre brings beside its samples.
import { buildCueBank } from "../bench/cue-bank.ts";
import { theatreChatTemplate } from "../data/theatre/chat-template.ts";
import { isTheatreSample, isTypicalCue } from "../data/theatre/sample-scene.ts";
import {
  absenceOfPhrase,
  allCues,
  cueOfPhrase,
  phraseGroups,
  promptText,
  reasoningQuestion,
  spokenTurn,
} from "../data/theatre/script.ts";
import { cuePhrases, emotionWords } from "../data/theatre/world.ts";
import { groupsOf } from "../emotion/score.ts";
import { fitBuiltinEmbedder } from "../evidence/builtin-embedder.ts";
import type { Cue } from "../evidence/cue.ts";
import type { CorpusKind } from "./corpus-kind.ts";

export const theatreKind: CorpusKind = {
  name: "theatre",
  note: "corpus: the theatre's, with its questions and emotion words",
  owns: isTheatreSample,
  embedder: () => fitBuiltinEmbedder(phraseGroups()),
  emotion: {
    ...groupsOf("theatre", emotionWords),
    name: "theatre",
    note: "accuracy: F1 of the answer's groups on the theatre's wheel",
  },
  question: reasoningQuestion,
  userTurn: promptText,
  spoken: spokenTurn,
  chatTemplate: theatreChatTemplate,
  /** Every cue by its first phrase. */
  bank: (embedder) => {
    const cues = allCues.map((cue): Cue => ({ kind: cue.modality, text: cuePhrases[cue.key][0] }));
    return buildCueBank(cues, embedder);
  },
  isTypical: isTypicalCue,
  fitsEmotion: isTypicalCue,
  absenceOf: absenceOfPhrase,
  attributeOf: ({ text }) => cueOfPhrase(text)?.attribute ?? null,
  /** Clips are drawn to be congruent, so all are taken, and each is asked once a modality. */
  setOptions: { minCues: 0, minAssociation: 0, maxProbesPerClip: 1 },
};
