// What a person meant who named a setting that does not exist: a slip of the keyboard, another way to write it
// (learning_rate), its initials (lr), the paper's symbol (delta), or its name without the group that it stands in.
import { editDistance } from "../edit-distance.ts";
import { knownPaths, type SchemaNode, schemaAt } from "./config-paths.ts";

/** How many letters may differ: this share of the shorter name. */
const maxShare = 0.5;
const maxNamed = 3;

/** The settings that come closest, the best first and only those as good as it; empty when none is close. */
export function nearestSettings(root: SchemaNode, path: string): string[] {
  const ranked = knownPaths(root)
    .map((known) => ({ known, distance: distanceTo(path, known, schemaAt(root, known.split("."))?.symbol) }))
    .filter(({ distance }) => distance !== null) as { known: string; distance: number }[];
  const best = Math.min(...ranked.map(({ distance }) => distance));
  return ranked
    .filter(({ distance }) => distance === best)
    .map(({ known }) => known)
    .slice(0, maxNamed);
}

/** As `Did you mean "a" or "b"?`, or null. */
export function didYouMean(names: readonly string[]): string | null {
  return names.length === 0 ? null : `Did you mean ${names.map((name) => `"${name}"`).join(" or ")}?`;
}

/** null: another thing. */
function distanceTo(asked: string, known: string, symbol: string | undefined): number | null {
  const [plain, target] = [bare(asked), bare(known)];
  const [name, own] = [lastName(asked), lastName(known)];
  if (plain === target || bare(name) === bare(own)) return 0;
  if (symbol !== undefined && bare(symbol) === bare(name)) return 0.5;
  if (initials(own) === bare(name) && name.length > 1) return 0.5;
  const edits = Math.min(allowed(plain, target), allowed(bare(name), bare(own)));
  if (edits < Number.POSITIVE_INFINITY) return edits;
  const words = wordsOf(own);
  return wordsOf(name).every((word) => words.includes(word)) ? wordsOf(own).length + 1 : null;
}

function allowed(left: string, right: string): number {
  const edits = editDistance(left, right);
  return edits <= Math.max(1, Math.min(left.length, right.length) * maxShare) ? edits : Number.POSITIVE_INFINITY;
}

function lastName(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.]/g, "");
}

function wordsOf(name: string): string[] {
  return name
    .replaceAll(/([A-Z])/g, " $1")
    .toLowerCase()
    .split(/[\s_-]+/)
    .filter((word) => word !== "");
}

function initials(name: string): string {
  return wordsOf(name)
    .map((word) => word[0])
    .join("");
}
