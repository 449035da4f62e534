// The lexicon that comes with oppo, for use without any download: the five wheels, our own list of what other words mean
// in their terms, and word families from WordNet and from endings. It agrees with the community's tables on most words but
// not on all, so scores made with it are stamped with its name and are not to be mixed with published ones.
import type { EmotionLexicon } from "../wheel.ts";
import { familiesText } from "./families.gen.ts";
import { meaningsText } from "./meanings.ts";
import { openWheels } from "./wheels.ts";
import { familyStem, possibleLemmas, wordFamilyRules } from "./word-family.ts";

export const openLexiconName = "built-in";

const longestLabel = 60;

let built: EmotionLexicon | null = null;

/** Built at the first call, in about 20 ms; the same object afterwards. */
export function openLexicon(): EmotionLexicon {
  built ??= build();
  return built;
}

function build(): EmotionLexicon {
  const synonyms = readMeanings(meaningsText);
  const forms = readFamilies(familiesText, synonyms);
  const wheels = openWheels();
  const onWheels = new Set(wheels.flatMap(({ levels }) => [...levels.level1.keys()]));
  const byStem = new Map<string, string[]>();
  for (const base of synonyms.keys()) append(byStem, familyStem(base), base);
  return {
    name: openLexiconName,
    wheels,
    forms,
    synonyms,
    ruleText: wordFamilyRules,
    formsByRule(label) {
      // No word and no phrase of the lexicon is that long: it is a sentence, and taking it apart could take minutes.
      if (label.length > longestLabel) return [];
      const found = new Set(possibleLemmas(label).flatMap((lemma) => forms.get(lemma) ?? []));
      const bases = [...(found.size > 0 ? found : (byStem.get(familyStem(label)) ?? []))];
      // What the wheels say themselves comes before our paraphrases: of a family with words on a wheel only these count,
      // and the label where it is in the table.
      if (!bases.some((base) => onWheels.has(base))) return bases;
      return bases.filter((base) => onWheels.has(base) || base === label);
    },
  };
}

/** Word -> the wheel words that paraphrase it. */
export function readMeanings(text: string): Map<string, string[]> {
  const meanings = new Map<string, string[]>();
  for (const line of text.trim().split("\n")) {
    const [wheelWord, rest] = line.split(": ") as [string, string];
    append(meanings, wheelWord, wheelWord);
    for (const word of rest === undefined || rest === "" ? [] : rest.split(", ")) append(meanings, word, wheelWord);
  }
  return meanings;
}

/** Any word of a family -> the words of `meanings` in that family. */
function readFamilies(text: string, meanings: ReadonlyMap<string, unknown>): Map<string, string[]> {
  const forms = new Map<string, string[]>();
  for (const base of meanings.keys()) append(forms, base, base);
  for (const line of text.trim().split("\n")) {
    const [base, rest] = line.split(": ") as [string, string];
    for (const word of rest.split(", ")) append(forms, word, base);
  }
  return forms;
}

function append(map: Map<string, string[]>, key: string, value: string): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else if (!values.includes(value)) values.push(value);
}
