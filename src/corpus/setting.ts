// What belongs to a corpus beside its rows: how its sentences are compared, how its answers are scored, how its questions
// are put. The theatre brings its own; any other corpus gets plain choices, each named in a line for the log, so that
// nobody takes them for more than they are.
import type { CueBank } from "../bench/cue-bank.ts";
import type { EmotionScore } from "../bench/emotion-score.ts";
import type { Sample } from "../data/sample.ts";
import { isTheatreSample, isTypicalCue } from "../data/theatre/sample-scene.ts";
import { reasoningQuestion } from "../data/theatre/script.ts";
import { normaliseLabels } from "../emotion/labels.ts";
import { setF1, setScore } from "../emotion/set-f1.ts";
import { singleWheelLexicon } from "../emotion/wheel.ts";
import type { Cue, Embedder } from "../evidence/cue.ts";
import { chooseEmbedder, type EmbedderOptions } from "./corpus-embedder.ts";
import { theatreCueBank, theatreEmotionScore, theatrePrompt } from "./theatre-setting.ts";

export interface Setting extends Disposable {
  readonly embedder: Embedder;
  readonly emotionScore: EmotionScore;
  /** The question that asks for a reasoning. */
  readonly question: string;
  /** The user turn that puts a question about a sample. */
  readonly promptText: (sample: Sample, question?: string) => string;
  /** What only the theatre knows; null elsewhere, where both are measured on the corpus (bench/mep-set.ts). */
  readonly world: {
    /** Every cue that a clause can state. */
    readonly bank: () => Promise<CueBank>;
    /** Whether the other modality suggests a cue: only then is it asked for while masked. */
    readonly isTypical: (sample: Sample, cue: Cue) => boolean;
  } | null;
  /** What was chosen, one line each. */
  readonly notes: readonly string[];
}

export interface SettingOptions extends EmbedderOptions {
  /** null: the setting's own. */
  readonly question: string | null;
  /** Group -> its words, for an answer in other words; null: words count as they are. */
  readonly emotionGroups: Readonly<Record<string, readonly string[]>> | null;
}

export const defaultQuestion =
  "What does the person feel, and why? Reason in <think></think>, then name the emotions in <answer></answer>.";

/** @throws OppoError ERR_EMBEDDER and those of the embedder */
export async function chooseSetting(samples: readonly Sample[], options: SettingOptions): Promise<Setting> {
  const isTheatre = samples.every(isTheatreSample);
  const opened = await chooseEmbedder(samples, isTheatre, options);
  const { embedder, notes } = opened;
  const accuracy = chooseScore(isTheatre, options.emotionGroups);
  const question = options.question ?? (isTheatre ? reasoningQuestion : defaultQuestion);
  const common = {
    embedder,
    emotionScore: accuracy.score,
    question,
    [Symbol.dispose]: () => opened[Symbol.dispose](),
  };
  const said = [
    isTheatre ? "corpus: the theatre's, with its questions and emotion words" : `question: ${question}`,
    ...notes,
    accuracy.note,
  ];
  if (isTheatre) {
    return {
      ...common,
      promptText: (sample, asked = question) => theatrePrompt(sample, asked),
      world: { bank: () => theatreCueBank(embedder), isTypical: isTypicalCue },
      notes: said,
    };
  }
  return {
    ...common,
    promptText: (sample, asked = question) => userTurn(sample.subtitle, asked),
    world: null,
    notes: said,
  };
}

function chooseScore(
  isTheatre: boolean,
  groups: SettingOptions["emotionGroups"],
): { readonly score: EmotionScore; readonly note: string } {
  if (groups !== null) {
    const lexicon = singleWheelLexicon("emotionGroups", lowerCased(groups));
    return {
      score: (predicted, labels) => setF1(predicted, labels, lexicon),
      note: `accuracy: F1 of the answer's groups, ${Object.keys(groups).length} groups from emotionGroups`,
    };
  }
  if (isTheatre)
    return { score: theatreEmotionScore, note: "accuracy: F1 of the answer's groups on the theatre's wheel" };
  return {
    score: exactScore,
    note: "accuracy: F1 of the answer's very words; emotionGroups in --config makes synonyms count",
  };
}

/** F1 of two sets of words, upper and lower case alike. */
export const exactScore: EmotionScore = (predicted, labels) =>
  setScore(new Set(normaliseLabels(predicted)), new Set(normaliseLabels(labels))).f1;

function lowerCased(groups: NonNullable<SettingOptions["emotionGroups"]>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(groups).map(([group, words]) => [group, normaliseLabels(words)]));
}

/** Example: `The person says: "get out". What does the person feel, and why?` */
/** A user turn: the spoken line, when it is known, and a question. */
export function userTurn(subtitle: string, question: string): string {
  return subtitle === "" ? question : `The person says: "${subtitle}". ${question}`;
}
