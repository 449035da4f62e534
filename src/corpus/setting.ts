// What belongs to a corpus beside its rows: how its sentences are compared, how its answers are scored, how its questions
// are put. A corpus of a kind that knows its clips brings its own; any other gets plain choices, each named in a line for the
// log, so that nobody takes them for more than they are.
import type { Sample } from "../data/sample.ts";
import type { NamedEmotionScore } from "../emotion/score.ts";
import type { Embedder } from "../evidence/cue.ts";
import { chooseEmbedder, type EmbedderOptions } from "./corpus-embedder.ts";
import type { CorpusKind } from "./corpus-kind.ts";
import { chooseEmotionScore } from "./emotion-score.ts";
import { kindOf } from "./kinds.ts";

export interface Setting extends Disposable {
  /** null for an annotated corpus: what a kind knows is measured there (bench/mep-set.ts). */
  readonly kind: CorpusKind | null;
  readonly embedder: Embedder;
  readonly emotion: NamedEmotionScore;
  /** The question that asks for a reasoning. */
  readonly question: string;
  /** The user turn that puts a question about a sample. */
  readonly promptText: (sample: Sample, question?: string) => string;
  /** What was chosen, one line each. */
  readonly notes: readonly string[];
}

export interface SettingOptions extends EmbedderOptions {
  /** null: the setting's own. */
  readonly question: string | null;
  /** As `chooseEmotionScore` takes it. */
  readonly accuracy: string;
  /** Group -> its words, for an answer in other words; null: none. */
  readonly emotionGroups: Readonly<Record<string, readonly string[]>> | null;
  /** Where imported lexicons are. */
  readonly home: string;
}

export const defaultQuestion =
  "What does the person feel, and why? Reason in <think></think>, then name the emotions in <answer></answer>.";

/** @throws OppoError ERR_EMBEDDER, ERR_LEXICON_UNKNOWN, ERR_EMOTION_SCORE and those of the embedder */
export async function chooseSetting(samples: readonly Sample[], options: SettingOptions): Promise<Setting> {
  const kind = kindOf(samples);
  const { accuracy, emotionGroups, home } = options;
  const emotion = chooseEmotionScore({ choice: accuracy, groups: emotionGroups, home }, kind);
  const opened = await chooseEmbedder(samples, kind, options);
  const question = options.question ?? kind?.question ?? defaultQuestion;
  const turn = kind?.userTurn ?? userTurn;
  return {
    kind,
    embedder: opened.embedder,
    emotion,
    question,
    promptText: (sample, asked = question) => turn(sample.subtitle, asked),
    notes: [kind?.note ?? `question: ${question}`, ...opened.notes, emotion.note],
    [Symbol.dispose]: () => opened[Symbol.dispose](),
  };
}

/**
 * A user turn: the spoken line, when it is known, and a question.
 * Example: `The person says: "get out". What does the person feel, and why?`
 */
export function userTurn(subtitle: string, question: string): string {
  return subtitle === "" ? question : `The person says: "${subtitle}". ${question}`;
}
