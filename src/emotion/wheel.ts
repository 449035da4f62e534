// Emotion wheels: which group an emotion word belongs to, so that "furious" and "mad" count as the same answer. Wheels are
// data passed in: the theatre has one of its own; the MER-UniBench lexicon has five with two levels, and two tables that
// lead from any surface form of a word to the words on the wheels.
import { createHash } from "node:crypto";
import { OppoError } from "../error.ts";

/** The inner ring ("level1", what published numbers use) or the middle ring of a wheel. */
export type WheelLevel = "level1" | "level2";

/** Example: `{ name: "wheel1", levels: { level1: Map { "furious" => "mad", ... }, level2: Map { "furious" => "anger", ... } } }` */
export interface EmotionWheel {
  readonly name: string;
  /** Per level: wheel word -> name of its group. */
  readonly levels: Readonly<Record<WheelLevel, ReadonlyMap<string, string>>>;
}

export interface EmotionLexicon {
  /** Stamped into reports: the choice of lexicon moves scores by points. */
  readonly name: string;
  readonly wheels: readonly EmotionWheel[];
  /** Surface form -> base words. Null when labels are wheel words themselves. */
  readonly forms: ReadonlyMap<string, readonly string[]> | null;
  /** Base word -> wheel words. Null when base words are wheel words themselves. */
  readonly synonyms: ReadonlyMap<string, readonly string[]> | null;
  /** Base words by rules of word formation instead of a table of all forms; then `forms` is only what the rules know. */
  readonly formsByRule?: (label: string) => readonly string[];
  /** What the rules are made of, for the fingerprint: with other rules the same tables give other scores. */
  readonly ruleText?: string;
}

/** The lexicon's JSON tables as they are stored. */
export interface LexiconTables {
  readonly forms: Readonly<Record<string, readonly string[]>>;
  readonly synonyms: Readonly<Record<string, readonly string[]>>;
  readonly wheelMaps: Readonly<Record<string, Readonly<Record<WheelLevel, Readonly<Record<string, string>>>>>>;
}

/** Builds a lexicon from the tables; wheels keep the tables' order. */
export function lexiconFromTables(name: string, tables: LexiconTables): EmotionLexicon {
  const wheels = Object.entries(tables.wheelMaps).map(([wheel, { level1, level2 }]) => ({
    name: wheel,
    levels: { level1: new Map(Object.entries(level1)), level2: new Map(Object.entries(level2)) },
  }));
  return {
    name,
    wheels,
    forms: new Map(Object.entries(tables.forms)),
    synonyms: new Map(Object.entries(tables.synonyms)),
  };
}

/**
 * A lexicon of one wheel with one ring, for corpora with a closed vocabulary. Both levels are the same.
 *
 * @param groups group name -> its words. Example: `{ angry: ["angry", "furious"], sad: ["sad"] }`
 * @throws OppoError emotion/ambiguous-word when a word is in two groups.
 */
export function singleWheelLexicon(name: string, groups: Readonly<Record<string, readonly string[]>>): EmotionLexicon {
  const groupOf = new Map<string, string>();
  for (const [group, words] of Object.entries(groups)) {
    for (const word of words) {
      const other = groupOf.get(word);
      if (other !== undefined && other !== group) {
        throw new OppoError(
          "ERR_EMOTION_AMBIGUOUS_WORD",
          `singleWheelLexicon ${name}: expected every word in one group, got ${JSON.stringify(word)} in ${other} and ${group}. ` +
            "Remove it from one of them.",
        );
      }
      groupOf.set(word, group);
    }
  }
  return { name, wheels: [{ name, levels: { level1: groupOf, level2: groupOf } }], forms: null, synonyms: null };
}

function basesOf(lexicon: EmotionLexicon, label: string): readonly string[] {
  if (lexicon.formsByRule !== undefined) return lexicon.formsByRule(label);
  return lexicon.forms === null ? [label] : (lexicon.forms.get(label) ?? []);
}

/** What a normalised label can mean, alphabetically: its base words, and the wheel words of all of them pooled. */
export function labelCandidates(
  lexicon: EmotionLexicon,
  label: string,
): { readonly bases: readonly string[]; readonly wheelWords: readonly string[] } {
  const bases = [...basesOf(lexicon, label)].sort();
  const pooled = bases.flatMap((base) => (lexicon.synonyms === null ? [base] : (lexicon.synonyms.get(base) ?? [])));
  return { bases, wheelWords: [...new Set(pooled)].sort() };
}

/**
 * The group of a normalised label on one wheel; null when the label is out of vocabulary or not on this wheel. All wheel
 * words that the label can mean are pooled, and the alphabetically first one that is on the wheel decides.
 */
export function resolveLabel(
  lexicon: EmotionLexicon,
  wheel: EmotionWheel,
  label: string,
  level: WheelLevel = "level1",
): string | null {
  const groupOf = wheel.levels[level];
  const word = labelCandidates(lexicon, label).wheelWords.find((candidate) => groupOf.has(candidate));
  return word === undefined ? null : groupOf.get(word)!;
}

/** The set of groups that normalised labels fall into; unresolved labels vanish, synonyms collapse. */
export function resolveGroups(
  lexicon: EmotionLexicon,
  wheel: EmotionWheel,
  labels: readonly string[],
  level: WheelLevel = "level1",
): Set<string> {
  const groups = new Set<string>();
  for (const label of labels) {
    const group = resolveLabel(lexicon, wheel, label, level);
    if (group !== null) groups.add(group);
  }
  return groups;
}

/** A short fingerprint of everything that decides a score; the same tables give the same text whatever their order. */
export function lexiconHash(lexicon: EmotionLexicon): string {
  const hash = createHash("sha256");
  const add = (map: ReadonlyMap<string, string | readonly string[]> | null) => {
    for (const [key, value] of [...(map ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))) {
      hash.update(`${key}\0${typeof value === "string" ? value : [...value].sort().join("\0")}\n`);
    }
    hash.update("\n");
  };
  add(lexicon.forms);
  add(lexicon.synonyms);
  for (const wheel of lexicon.wheels) {
    hash.update(wheel.name);
    add(wheel.levels.level1);
    add(wheel.levels.level2);
  }
  if (lexicon.ruleText !== undefined) hash.update(lexicon.ruleText);
  return hash.digest("hex").slice(0, hashLength);
}

const hashLength = 12;
