// The models that lie beside the runs: what a run ended with, its best evaluation's, and those in a folder "models" of a demo.
import { lstatSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { statRegular } from "../logs/safe-read.ts";
import { pathId } from "../path-id.ts";
import type { RunPlace } from "../runs/find-runs.ts";

export interface ModelPlace {
  readonly id: string;
  readonly name: string;
  readonly path: string;
}

const ownNames = ["model", "best"];
const maxInFolder = 50;

/** The newest runs' first. */
export function findModels(places: readonly RunPlace[]): ModelPlace[] {
  const found = new Map<string, ModelPlace>();
  for (const { path, name, files } of places) {
    const inside = [
      ...ownNames.filter((one) => files.has(one)),
      ...(files.has("models") ? foldersIn(join(path, "models")).map((one) => join("models", one)) : []),
    ];
    for (const one of inside) {
      const folder = join(path, one);
      if (!isFolder(folder) || statRegular(join(folder, "config.json")) === null) continue;
      found.set(folder, { id: pathId(folder), name: join(name, relative(path, folder)), path: folder });
    }
  }
  return [...found.values()];
}

function foldersIn(path: string): string[] {
  if (!isFolder(path)) return [];
  return readdirSync(path).sort().slice(0, maxInFolder);
}

/** A folder itself: a link may lead anywhere. */
function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
