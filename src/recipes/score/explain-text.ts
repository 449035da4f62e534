// The path of a word through a lexicon as text.
import { explainLabel, type LabelPath } from "../../emotion/explain.ts";
import { type EmotionLexicon, lexiconHash } from "../../emotion/wheel.ts";

/** The path as data and as text. */
export function explainWord(lexicon: EmotionLexicon, word: string): { path: LabelPath; text: string } {
  const path = explainLabel(lexicon, word);
  return { path, text: explainText(lexicon, path) };
}

function explainText(lexicon: EmotionLexicon, path: LabelPath): string {
  const stamp = `Lexicon ${lexicon.name} (${lexiconHash(lexicon)}).`;
  if (path.bases.length === 0) {
    return `"${path.label}" is out of vocabulary: as a prediction it costs nothing, as an annotation it is not scored.\n${stamp}`;
  }
  const forms = path.bases.map(({ base, wheelWords }) => `  ${base}: ${wheelWords.join(", ") || "on no wheel"}`);
  const wheels = path.wheels.map(({ wheel, level, chosen, lost, absent }) => {
    const place = chosen === null ? "nowhere" : `${chosen.group} (by ${chosen.word})`;
    const others = lost.length === 0 ? "" : `; lost: ${lost.map(({ word, group }) => `${word} (${group})`).join(", ")}`;
    const missing = absent.length === 0 ? "" : `; not on this wheel: ${absent.join(", ")}`;
    return `  ${wheel} ${level}: ${place}${others}${missing}`;
  });
  return [
    `"${path.label}" is a form of, and each of these means:`,
    ...forms,
    "The alphabetically first meaning that is on a wheel decides:",
    ...wheels,
    stamp,
  ].join("\n");
}
