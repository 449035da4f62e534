// Ground truth from a file of one's own: a name and a value per row. The kind of the values is asked for, or seen.
import type { GroundTruth, RawLabels } from "../ground-truth.ts";
import { columnIn, nameColumns, nameOf } from "./predictions.ts";
import { readRows, scoreError, shown } from "./rows.ts";

const valueColumns: Readonly<Record<GroundTruth["kind"], readonly string[]>> = {
  open: ["openset", "labels", "gt", "truth", "text", "label"],
  discrete: ["label", "emo", "emotion", "discrete", "gt", "truth", "text"],
  sentiment: ["val", "sentiment", "gt", "truth", "label", "text"],
};

export interface TruthFileOptions {
  readonly dataset: string;
  readonly kind: GroundTruth["kind"];
  /** The label space of a discrete set; empty: the labels that occur. */
  readonly labels?: readonly string[];
  readonly nameColumn?: string;
  readonly valueColumn?: string;
}

/** @throws DatasetError ERR_SCORE_FILE, ERR_SCORE_NAMES, ERR_TRUTH_VALUE */
export function readTruthFile(file: string, options: TruthFileOptions): GroundTruth {
  const { dataset, kind } = options;
  const rows = readRows(file);
  const nameColumn = columnIn(file, rows, options.nameColumn, nameColumns, "the sample's name");
  const valueColumn = columnIn(file, rows, options.valueColumn, valueColumns[kind], "the annotation");
  const values = new Map<string, RawLabels | number>();
  for (const { line, cells } of rows) {
    const name = nameOf(file, line, cells[nameColumn]);
    if (values.has(name)) {
      throw scoreError(
        "ERR_SCORE_NAMES",
        file,
        line,
        `expected every sample once, got "${name}" again. Remove one of them.`,
      );
    }
    values.set(name, annotationOf(file, line, cells[valueColumn], kind));
  }
  const base = { dataset, source: file, repeatedNames: [] };
  if (kind === "open") return { ...base, kind, rows: values as Map<string, RawLabels> };
  if (kind === "sentiment") return { ...base, kind, rows: values as Map<string, number> };
  const words = values as Map<string, string>;
  const labels = options.labels ?? [];
  return { ...base, kind, rows: words, labels: labels.length > 0 ? labels : [...new Set(words.values())] };
}

function annotationOf(file: string, line: number, value: unknown, kind: GroundTruth["kind"]): RawLabels | number {
  const refuse = (expected: string) =>
    scoreError(
      "ERR_TRUTH_VALUE",
      file,
      line,
      `expected ${expected}, got ${shown(value)}. A score needs every annotation; repair the row or remove the sample.`,
    );
  if (kind === "sentiment") {
    const number =
      typeof value === "number" ? value : typeof value === "string" && value.trim() !== "" ? Number(value) : Number.NaN;
    if (!Number.isFinite(number)) throw refuse("a sentiment strength");
    return number;
  }
  if (kind === "discrete") {
    if (typeof value !== "string" || value.trim() === "") throw refuse("an emotion word");
    return value.trim().toLowerCase();
  }
  if (value === null || value === undefined || Number.isNaN(value)) return null;
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw refuse("a label string or a list of labels");
}
