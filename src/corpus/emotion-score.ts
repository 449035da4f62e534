// Which emotion score counts, from what a person writes: one choice for training, the reward server and the benches.
import { exactWords, groupsOf, type NamedEmotionScore, wheelsOf } from "../emotion/score.ts";
import { OppoError } from "../error.ts";
import type { CorpusKind } from "./corpus-kind.ts";
import { kindNamed } from "./kinds.ts";
import { chooseLexicon } from "./lexicons.ts";

export interface EmotionScoreOptions {
  /**
   * "auto": the corpus' own wheel where it has one, else the five wheels of the published lexicon where it was imported, else
   * of the built-in one. "exact": the very words. "groups": `groups`. Else a lexicon's name or file.
   */
  readonly choice: string;
  /** Group -> its words, for an answer in other words; null: none. They are what "auto" takes when they are there. */
  readonly groups: Readonly<Record<string, readonly string[]>> | null;
  /** Where imported lexicons are. */
  readonly home: string;
}

/** @param kind the corpus'; null for an annotated one @throws OppoError ERR_LEXICON_UNKNOWN, ERR_EMOTION_SCORE, ERR_EMOTION_AMBIGUOUS_WORD */
export function chooseEmotionScore(
  { choice, groups, home }: EmotionScoreOptions,
  kind: CorpusKind | null,
): NamedEmotionScore {
  const isGroups = choice === "groups" || (choice === "auto" && groups !== null);
  if (isGroups) return groupsOf("emotionGroups", requireGroups(groups));
  if (groups !== null) {
    throw new OppoError(
      "ERR_EMOTION_SCORE",
      `emotionGroups: expected to be used, got accuracy ${choice}, which does not look at them. Leave one of the two out.`,
    );
  }
  const known = choice === "auto" ? kind : kindNamed(choice);
  if (known !== null) return known.emotion;
  if (choice === "exact") return exactWords;
  return wheelsOf(chooseLexicon(choice === "auto" ? null : choice, home));
}

function requireGroups(groups: EmotionScoreOptions["groups"]): NonNullable<EmotionScoreOptions["groups"]> {
  if (groups !== null) return groups;
  throw new OppoError(
    "ERR_EMOTION_SCORE",
    'accuracy "groups": expected emotionGroups, got none. Give them in --config: { emotionGroups: { sad: [sad, gloomy], ... } }.',
  );
}
