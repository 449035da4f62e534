// From what a model or an annotation file wrote to a list of normalised emotion labels, by the rules of the MER-UniBench
// scorers. Their Python white space differs from JavaScript's trim, and a few labels depend on it.

const pythonSpace = "\\t\\n\\v\\f\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const outerSpace = new RegExp(`^[${pythonSpace}]+|[${pythonSpace}]+$`, "g");

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

function strip(text: string): string {
  return text.replace(outerSpace, "");
}
