// The data sets by name. The list is all-readers.ts.
import { editDistance } from "../../edit-distance.ts";
import { OppoError } from "../../error.ts";
import { DatasetError } from "../jsonl.ts";
import type { DatasetReader } from "../reader.ts";
import * as readers from "./all-readers.ts";

/** In the order of their names. */
export const datasets: readonly DatasetReader[] = Object.values<DatasetReader>(readers).sort((a, b) =>
  a.name < b.name ? -1 : 1,
);

/**
 * The reader of that name or title; case, hyphens and underscores do not matter, and "+" is "plus".
 * @throws DatasetError `ERR_DATASET_UNKNOWN`
 */
export function datasetNamed(text: string): DatasetReader {
  const found = datasets.find(({ name, title }) => [name, title].some((known) => plain(known) === plain(text)));
  if (found !== undefined) return found;
  const names = datasets.map(({ name }) => name).join(", ");
  const near = nearestDatasets(text);
  const hint = near.length === 0 ? "" : ` Did you mean ${near.join(" or ")}?`;
  throw new DatasetError("ERR_DATASET_UNKNOWN", `expected a data set, got "${text}".${hint} Choose one of ${names}.`, {
    file: text,
  });
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll("+", "plus").replace(/[-_ ]/g, "");
}

const fewestCharacters = 3;

/** The names that hold the text ("mosi": cmu-mosi), else those with the fewest slips of the pen in them. */
function nearestDatasets(text: string): string[] {
  const asked = plain(text);
  if (asked.length < fewestCharacters) return [];
  const known = datasets.map(({ name, title }) => ({ name, plain: [plain(name), plain(title)] }));
  const holding = known.filter((set) => set.plain.some((one) => one.includes(asked)));
  if (holding.length > 0) return holding.map(({ name }) => name);
  const slips = known.map((set) => ({
    name: set.name,
    slips: Math.min(...set.plain.map((one) => editDistance(one, asked))),
  }));
  const fewest = Math.min(...slips.map((set) => set.slips));
  return fewest > Math.max(1, asked.length / 2) ? [] : slips.flatMap((set) => (set.slips === fewest ? [set.name] : []));
}

/** The split of a set that has one. @throws OppoError ERR_EXPORT_SPLIT */
export function onlySplit({ name, splits }: DatasetReader): string {
  const [first, ...others] = splits;
  if (first !== undefined && others.length === 0) return first.name;
  const names = splits.map((split) => split.name).join(", ");
  throw new OppoError(
    "ERR_EXPORT_SPLIT",
    `${name}: expected --split, one of ${names}, got none. Name the one to export.`,
  );
}
