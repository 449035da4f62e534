// Patterns of adapter_config.json (target_modules, exclude_modules, rank_pattern), matched as Python's re.fullmatch does.
// They come with files of others, and a backtracking engine can be made to work for ever. Here a node maps the places
// where it may begin to all places where it may end, so the work is bounded by pattern times text, and counted. Captures
// do not exist for a yes or no; back references, conditions, atomic groups and possessive repeats are refused.
import { type PatternNode, parsePattern } from "./pattern-syntax.ts";

/** Node visits for all texts of one pattern: a second or so. */
const MAX_STEPS = 20_000_000;

/** Whether a whole text matches. @throws RangeError when it took too much work */
export type FullMatch = (text: string) => boolean;

/** @throws SyntaxError for what is no pattern of Python's, or uses what is not supported */
export function compilePattern(source: string, maxSteps = MAX_STEPS): FullMatch {
  const root = parsePattern(source);
  const work = { steps: maxSteps };
  return (text) => endsOf(root, text, [0], work).at(-1) === text.length;
}

interface Work {
  steps: number;
}

/** Ascending places in `text` where the node may end when it begins at one of the ascending `starts`. */
function endsOf(node: PatternNode, text: string, starts: readonly number[], work: Work): readonly number[] {
  if (starts.length === 0) return starts;
  work.steps -= starts.length;
  if (work.steps < 0) throw new RangeError("too much work");
  switch (node.kind) {
    case "literal":
      return starts.filter((at) => text.startsWith(node.text, at)).map((at) => at + node.text.length);
    case "character":
      return starts.filter((at) => at < text.length && node.accepts(text[at]!)).map((at) => at + 1);
    case "place":
      return starts.filter((at) => node.accepts(text, at));
    case "sequence":
      return node.parts.reduce((places, part) => endsOf(part, text, places, work), starts);
    case "choice":
      return joined(node.options.map((option) => endsOf(option, text, starts, work)));
    case "repeat":
      return repeatEnds(node, text, starts, work);
    case "look":
      return starts.filter((at) => looks(node, text, at, work) !== node.isNegated);
  }
}

/** At most one round per character: places either grow and settle, or move on until the text is over. */
function repeatEnds(
  { body, min, max }: Extract<PatternNode, { kind: "repeat" }>,
  text: string,
  starts: readonly number[],
  work: Work,
): readonly number[] {
  let places = starts;
  for (let round = 0; round < min && places.length > 0; round++) {
    const next = endsOf(body, text, places, work);
    if (next.join() === places.join()) break;
    places = next;
  }
  let reached = places;
  for (let round = min; round < max && places.length > 0; round++) {
    const known = new Set(reached);
    places = endsOf(body, text, places, work).filter((at) => !known.has(at));
    reached = joined([reached, places]);
  }
  return reached;
}

function looks(
  { body, isAhead }: Extract<PatternNode, { kind: "look" }>,
  text: string,
  at: number,
  work: Work,
): boolean {
  if (isAhead) return endsOf(body, text, [at], work).length > 0;
  const before = Array.from({ length: at + 1 }, (_, start) => start);
  return before.some((start) => endsOf(body, text, [start], work).includes(at));
}

function joined(sets: readonly (readonly number[])[]): readonly number[] {
  const filled = sets.filter(({ length }) => length > 0);
  if (filled.length <= 1) return filled[0] ?? [];
  return [...new Set(filled.flat())].sort((a, b) => a - b);
}
