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
import { type KnownWording, kindWording, plainWording, userTurn, type Wording, wordingNote } from "./wording.ts";

export interface Setting extends Disposable {
  /** null for an annotated corpus: what a kind knows is measured there (bench/mep-set.ts). */
  readonly kind: CorpusKind | null;
  readonly embedder: Embedder;
  readonly emotion: NamedEmotionScore;
  /** The question that asks for a reasoning. */
  readonly question: string;
  /** How it is put: beside the model that is trained with it. */
  readonly wording: Wording;
  /** The user turn that puts a question about a sample. */
  readonly promptText: (sample: Sample, question?: string) => string;
  /** What was chosen, one line each. */
  readonly notes: readonly string[];
}

export interface SettingOptions extends EmbedderOptions {
  /** null: the model's (`wording`), else the setting's own. */
  readonly question: string | null;
  /** What the model was trained with, where that is known; left out: nobody asks a model that knows. */
  readonly wording?: KnownWording | null;
  /** As `chooseEmotionScore` takes it. */
  readonly accuracy: string;
  /** Group -> its words, for an answer in other words; null: none. */
  readonly emotionGroups: Readonly<Record<string, readonly string[]>> | null;
  /** Where imported lexicons are. */
  readonly home: string;
}

/** @throws OppoError ERR_EMBEDDER, ERR_LEXICON_UNKNOWN, ERR_EMOTION_SCORE and those of the embedder */
export async function chooseSetting(samples: readonly Sample[], options: SettingOptions): Promise<Setting> {
  const kind = kindOf(samples);
  const { accuracy, emotionGroups, home } = options;
  const emotion = chooseEmotionScore({ choice: accuracy, groups: emotionGroups, home }, kind);
  const opened = await chooseEmbedder(samples, kind, options);
  const own = options.wording ?? null;
  const usual = kindWording(kind);
  const question = options.question ?? (own?.wording ?? usual).question;
  const wording: Wording = { ...(own?.wording ?? usual), question };
  return {
    kind,
    embedder: opened.embedder,
    emotion,
    question,
    wording,
    promptText: (sample, asked = question) => userTurn(wording, sample.subtitle, asked),
    notes: [...questionNotes(kind, own, options.question), ...opened.notes, emotion.note],
    [Symbol.dispose]: () => opened[Symbol.dispose](),
  };
}

/** A kind's note says that its questions are asked; whoever asks another one says so. */
function questionNotes(kind: CorpusKind | null, known: KnownWording | null, given: string | null): string[] {
  if (known !== null) return [...(kind === null ? [] : [kind.note]), wordingNote(known, given)];
  if (kind === null) return [wordingNote({ wording: plainWording, file: null }, given)];
  return given === null ? [kind.note] : [kind.note, wordingNote({ wording: plainWording, file: null }, given)];
}
