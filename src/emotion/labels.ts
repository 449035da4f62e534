// From what a model or an annotation file wrote to a list of normalised emotion labels, by the rules of the MER-UniBench
// scorers. Their Python white space differs from JavaScript's trim, and a few labels depend on it.

/** What Python's str.strip() removes: JavaScript's trim has no U+001C to U+001F and U+0085, and has U+FEFF. */
function isPythonSpace(code: number): boolean {
  if (code <= 0x20) return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code >= 0x1c;
  if (code < 0x85) return false;
  if (code === 0x85 || code === 0xa0 || code === 0x1680 || (code >= 0x2000 && code <= 0x200a)) return true;
  return code === 0x2028 || code === 0x2029 || code === 0x202f || code === 0x205f || code === 0x3000;
}

/** Python's str.strip(). By hand: a pattern takes quadratic time on long runs of space. */
export function strip(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isPythonSpace(text.charCodeAt(from))) from++;
  while (to > from && isPythonSpace(text.charCodeAt(to - 1))) to--;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

/**
 * Labels of a label string such as `[happy, 'sad']`: one leading `[` and one trailing `]` go (no trim before), quotes and
 * commas separate, pieces are stripped, empty ones dropped. Nothing else separates: no semicolon, line break or "and".
 * A list is taken as it is; null and the empty string have no labels. Case is kept: see normaliseLabels.
 */
export function parseLabelString(value: string | readonly string[] | null): string[] {
  if (value === null) return [];
  if (typeof value !== "string") return [...value];
  const from = value.startsWith("[") ? 1 : 0;
  const to = value.length > from && value.endsWith("]") ? value.length - 1 : value.length;
  return value
    .slice(from, to)
    .split(/['",]/)
    .map(strip)
    .filter((piece) => piece !== "");
}

/** Lower case, without surrounding white space: the form in which labels are looked up. Keeps order and duplicates. */
export function normaliseLabels(labels: readonly string[]): string[] {
  return labels.map((label) => strip(label.toLowerCase()));
}

const lenientSeparators = /[,;/|\n\r\t\u3001\u3002]|\band\b|\s&\s/;
const outerPunctuation = /^[\s"'`*\-.:!?()[\]{}]+|[\s"'`*\-.:!?()[\]{}]+$/g;

/**
 * What a reader of the label string would understand: full-width signs count as ASCII ones, semicolons, slashes, line
 * breaks and "and" separate too, brackets, quotes and full stops around a label go, an apostrophe inside a word is the
 * typographic one of the lexicon. Not what published numbers were made with.
 */
export function parseLabelsLeniently(value: string | readonly string[] | null): string[] {
  if (value === null) return [];
  const texts = typeof value === "string" ? [value] : value;
  return texts
    .flatMap((text) => text.normalize("NFKC").split(lenientSeparators))
    .map((piece) => piece.replace(outerPunctuation, "").replace(/(\p{L})'(\p{L})/gu, "$1\u2019$2"))
    .filter((piece) => piece !== "");
}

const leadIns = [
  "\u8f93\u5165",
  "\u8f93\u51fa",
  "\u7ffb\u8bd1",
  "\u8ba9\u6211\u4eec\u6765\u7ffb\u8bd1\u4e00\u4e0b\uff1a",
];
const englishLeadIns = ["output", "Output", "input", "Input"];

/** The official clean-up of a language model's reply, applied before a label string is stored. */
export function cleanReply(reply: string): string {
  let text = strip(reply);
  for (const leadIn of [...leadIns, ...englishLeadIns]) {
    if (text.startsWith(leadIn)) text = text.slice(leadIn.length);
  }
  text = strip(text);
  for (const colon of [":", "\uff1a"]) if (text.startsWith(colon)) text = text.slice(1);
  return strip(strip(text).replaceAll("\n", ""));
}
