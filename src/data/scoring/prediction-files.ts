// Where a system's predictions for a data set lie: a file, a folder with one file per data set, or the official layout
// results-<set>/<run>/checkpoint_<epoch>_loss_<x>[-openset[-sentiment]].npz with several checkpoints.
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { scoreError } from "./rows.ts";

export interface PredictionFile {
  readonly path: string;
  /** Epoch in the file's name; null when it has none. */
  readonly checkpoint: number | null;
  /** The file that a person named, where a later stage of it lies beside it and is taken; else null. */
  readonly insteadOf: string | null;
}

const extensions = [".jsonl", ".json", ".csv", ".npz"];
const maxDepth = 3;

/**
 * The checkpoints of a system for one set, in order; never empty.
 * @param wantsPolarity take the polarity files of the official layout, where there are any
 * @throws DatasetError ERR_SCORE_FILE
 */
export function predictionFiles(path: string, dataset: string, wantsPolarity: boolean): PredictionFile[] {
  if (!existsSync(path)) throw absent(path, "a file or a folder of predictions", "nothing there");
  if (statSync(path).isFile()) return [laterStage(path, wantsPolarity)];
  const plain = (name: string) => name.toLowerCase().replace(/[-_+ ]/g, "");
  const names = readdirSync(path).sort();
  const flat = names.filter(
    (name) => extensions.includes(extname(name)) && isFor(plain(basename(name, extname(name))), plain(dataset)),
  );
  const folder = names.find((name) => [`results${plain(dataset)}`, plain(dataset)].includes(plain(name)));
  const files = folder === undefined ? flat.map((name) => join(path, name)) : filesBelow(join(path, folder), maxDepth);
  const chosen = chooseStage(files, wantsPolarity);
  if (chosen.length === 0) {
    throw absent(
      path,
      `${dataset}.jsonl (or .csv, .npz), or results-${dataset.toLowerCase()} with checkpoints`,
      names.slice(0, 8).join(", ") || "an empty folder",
    );
  }
  return chosen
    .map((file) => ({ path: file, checkpoint: checkpointOf(file), insteadOf: null }))
    .sort((a, b) => (a.checkpoint ?? -1) - (b.checkpoint ?? -1));
}

function isFor(stem: string, dataset: string): boolean {
  return stem === dataset || stem.replace(/(openset|sentiment)+$/, "") === dataset;
}

/** The furthest stage of the official pipeline that helps: polarity, then extracted labels, then raw texts. */
function chooseStage(files: readonly string[], wantsPolarity: boolean): string[] {
  const polarity = files.filter((file) => /sentiment\.\w+$/.test(file));
  const labels = files.filter((file) => /openset\.\w+$/.test(file));
  const raw = files.filter((file) => !polarity.includes(file) && !labels.includes(file));
  if (wantsPolarity && polarity.length > 0) return polarity;
  return labels.length > 0 ? labels : raw;
}

/** Of a checkpoint's archive that was named: what the official pipeline made of it, where that lies beside it. */
function laterStage(path: string, wantsPolarity: boolean): PredictionFile {
  const [, stem, stage = ""] = /^(.*?)(-openset(?:-sentiment)?)?\.npz$/.exec(path) ?? [];
  const stages = [...(wantsPolarity ? ["-openset-sentiment"] : []), "-openset"].filter(
    (later) => later.length > stage.length,
  );
  const later = stem === undefined ? [] : stages.map((name) => `${stem}${name}.npz`);
  const found = later.find((file) => existsSync(file));
  return { path: found ?? path, checkpoint: checkpointOf(path), insteadOf: found === undefined ? null : path };
}

function filesBelow(folder: string, depth: number): string[] {
  if (!statSync(folder).isDirectory()) return extensions.includes(extname(folder)) ? [folder] : [];
  return depth === 0
    ? []
    : readdirSync(folder)
        .sort()
        .flatMap((name) => filesBelow(join(folder, name), depth - 1));
}

function checkpointOf(path: string): number | null {
  const digits = /checkpoint[_-](\d+)/.exec(basename(path))?.[1];
  return digits === undefined ? null : Number(digits);
}

function absent(path: string, expected: string, got: string): Error {
  return scoreError("ERR_SCORE_FILE", path, 0, `expected ${expected}, got ${got}. Check the path.`);
}
