// What the built-in embedder sees of a phrase: runs of stemmed content words, broken at punctuation and conjunctions, and
// the unordered pairs of neighbours in a run. Function words and the carriers of annotations ("the video shows", "this suggests the person is") carry no
// evidence and go. Words in the reach of a negation become words of their own: "no smile" is not a smile.

/** Words that carry no evidence. */
export const ignoredWords: ReadonlySet<string> = new Set(
  (
    "a an the this that these those some any it its he she they him her his hers their them i you we my your our " +
    "is are was were be been being am has have had do does did will would can could may might " +
    "of in on at to from with by for as into onto because since when then than also very quite rather slightly " +
    "somewhat clearly really just so there here who which what how why one " +
    "person people man woman someone speaker character video audio clip scene " +
    "show shows showing shown carry carries carrying contain contains containing display displays " +
    "see sees seen visible hear hears heard audible notice suggest suggests suggesting indicate indicates indicating " +
    "imply implies seem seems appear appears feel feels feeling sounds looks"
  ).split(" "),
);
export const conjunctions: ReadonlySet<string> = new Set(["and", "or", "but", "while"]);
export const negations: ReadonlySet<string> = new Set([
  "no",
  "not",
  "without",
  "never",
  "hardly",
  "neither",
  "nor",
  "none",
]);
/** Two names of one thing, where no suffix rule makes them meet. */
const aliases: ReadonlyMap<string, string> = new Map([
  ["eyebrow", "brow"],
  ["eyelid", "lid"],
]);
const tokenPattern = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{N}]+|[.,;:!?]/gu;
/** How many content words a negation reaches. */
export const negationReach = 3;

/**
 * Content words of a phrase, stemmed, in order, as runs of neighbours; `no-` marks a negated one. No run is empty.
 * Example: "wide eyes and no tears on the lips" -> [[wid, eye], [no-tear, no-lip]]
 */
export function contentRuns(phrase: string): string[][] {
  const runs: string[][] = [[]];
  let negated = 0;
  const plain = phrase
    .normalize("NFC")
    .toLowerCase()
    .replace(/n['\u2019]t\b/g, " not")
    .replace(/['\u2019](?:s|re|ve|ll|d|m)\b/g, "");
  for (const [token] of plain.matchAll(tokenPattern)) {
    if (/[.,;:!?]/.test(token)) {
      negated = 0;
      runs.push([]);
    } else if (conjunctions.has(token)) runs.push([]);
    else if (negations.has(token)) negated = negationReach;
    else if (!ignoredWords.has(token)) runs.at(-1)!.push(negated-- > 0 ? `no-${stem(token)}` : stem(token));
  }
  return runs.filter((run) => run.length > 0);
}

/** Feature names: each distinct word, and each distinct unordered pair of neighbours in a run ("a+b"). */
export function phraseFeatures(runs: readonly (readonly string[])[]): string[] {
  const features = new Set(runs.flat());
  for (const run of runs) {
    for (let i = 0; i + 1 < run.length; i++) if (run[i] !== run[i + 1]) features.add(pairFeature(run[i]!, run[i + 1]!));
  }
  return [...features];
}

function pairFeature(left: string, right: string): string {
  return left < right ? `${left}+${right}` : `${right}+${left}`;
}

/**
 * A light suffix stripper for English, made so that forms of one word meet (frown, frowns, frowned, frowning); its results
 * are no words.
 */
export function stem(word: string): string {
  let result = word;
  if (result.endsWith("ies") && result.length > 4) result = `${result.slice(0, -3)}y`;
  else if (/[^sui]s$/.test(result) && result.length > 3) result = result.slice(0, -1);
  result = withoutSuffix(result, "ly");
  if (!result.endsWith("eed")) result = withoutSuffix(withoutSuffix(result, "ing"), "ed");
  if (result.length > 3 && result.endsWith("e")) result = result.slice(0, -1);
  if (result.length > 2 && result.endsWith("y")) result = `${result.slice(0, -1)}i`;
  return aliases.get(result) ?? result;
}

/** Drops the suffix where a stem of three letters with a vowel is left, and a consonant that the suffix doubled. */
function withoutSuffix(word: string, suffix: string): string {
  if (!word.endsWith(suffix)) return word;
  const rest = word.slice(0, -suffix.length);
  if (rest.length < 3 || !/[aeiouy]/.test(rest)) return word;
  return suffix !== "ly" && /([bdfgkmnprtv])\1$/.test(rest) ? rest.slice(0, -1) : rest;
}
