// Which words belong together by their form: "worries", "worriedly" and "worrisome" with "worried". Endings are taken off
// one after another until nothing is left to take; two words are of one family when the same stem remains. Coarse on
// purpose: it only decides among words that are in the lexicon already.

const endings = (
  "nesses ness ments ment ingly ings ing edly ed fulness fully ful ously ousness ous ively iveness ive ities ity ations " +
  "ation ators ator ates ate ational ions ion ances ance ancy ences ence ency ently ent antly ant ably ability able ibly " +
  "ibility ible ally al ically ic ists ist istic istically isms ism izes ized izing ize ises ised ising ise ers er est ors " +
  "or ies ied ier iest ily iness ly es s y e ee th ure ures hood ship ships some like dom ish t age ages ary ery ory eer en " +
  "ened ening ens"
)
  .split(" ")
  .sort((a, b) => b.length - a.length);
/** These are too often part of the word itself to leave only three letters. */
const needFourLetters = new Set("t th en al ate er or est ish age ent ant ee ic ary ory ery ive".split(" "));
const weakWords = new Set(["more", "most", "very", "being", "to", "be", "of"]);
const shortest = 3;
const maxEndings = 60;

/** The stem of a label of one or more words; hyphens separate words. */
export function familyStem(label: string): string {
  const words = label
    .replaceAll("-", " ")
    .split(/\s+/)
    .filter((word) => word !== "");
  const strong = words.filter((word) => !weakWords.has(word));
  return (strong.length > 0 ? strong : words).map(stemOf).join(" ");
}

function stemOf(word: string): string {
  if (word.length <= shortest) return word;
  let stem = word;
  for (let i = 0; i < maxEndings; i++) {
    const ending = endings.find((candidate) => canLose(stem, candidate));
    if (ending === undefined) break;
    stem = stem.slice(0, -ending.length);
    if (stem.length > shortest && isDoubled(stem) && !/[aeiouls]$/.test(stem)) stem = stem.slice(0, -1);
  }
  if (stem.endsWith("i")) stem = stem.slice(0, -1);
  return stem.length > shortest && isDoubled(stem) ? stem.slice(0, -1) : stem;
}

function canLose(stem: string, ending: string): boolean {
  if (!stem.endsWith(ending)) return false;
  // "-less" turns a word into its opposite: fear is no form of fearless.
  if (ending === "s" && stem.endsWith("less")) return false;
  const rest = stem.length - ending.length;
  if (rest < (needFourLetters.has(ending) ? shortest + 1 : shortest)) return false;
  return /[aeiouy]/.test(stem.slice(0, rest));
}

function isDoubled(stem: string): boolean {
  return stem.at(-1) === stem.at(-2);
}

const inflections =
  "s es ing ed er ers est ly y ness nesses ings ment ments ful edly ingly able ally d ility ilities ion ions".split(
    " ",
  );

/** The words that a label may be an inflection of, itself first: "hopes" of "hope", "hurried" of "hurry". */
export function possibleLemmas(label: string): string[] {
  const lemmas = new Set([label]);
  for (const ending of inflections) {
    if (!label.endsWith(ending) || label.length - ending.length < 2) continue;
    const rest = label.slice(0, -ending.length);
    lemmas.add(rest);
    lemmas.add(`${rest}e`);
    if (rest.endsWith("i")) lemmas.add(`${rest.slice(0, -1)}y`);
    if (isDoubled(rest)) lemmas.add(rest.slice(0, -1));
    if (ending.startsWith("ilit") || ending === "y") lemmas.add(`${rest}le`);
    if (ending.startsWith("ion")) lemmas.add(`${rest}e`);
  }
  return [...lemmas];
}

/** All that the rules above depend on, as one text. */
export const wordFamilyRules = [endings, [...needFourLetters], [...weakWords], inflections]
  .map((list) => list.join(" "))
  .join("\n");
