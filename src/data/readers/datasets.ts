// The data sets by name. The list is all-readers.ts.
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
  const plain = (name: string): string => name.toLowerCase().replaceAll("+", "plus").replace(/[-_ ]/g, "");
  const found = datasets.find(({ name, title }) => [name, title].some((known) => plain(known) === plain(text)));
  if (found !== undefined) return found;
  const names = datasets.map(({ name }) => name).join(", ");
  throw new DatasetError("ERR_DATASET_UNKNOWN", `expected a data set, got "${text}". Choose one of ${names}.`, {
    file: text,
  });
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
