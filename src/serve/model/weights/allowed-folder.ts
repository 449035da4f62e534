// Folders of weights that a client may name: below one folder, also through symbolic links, with nothing in them that leads
// out of it, and with safetensors only.
import { readdirSync, realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { HttpError } from "../../http/http-error.ts";

/** An adapter has two files, a sharded model some hundreds. */
const maxFiles = 2000;

/**
 * The real path of a folder that a client named.
 * @param allowed the folder of --allow-weights; null: nothing was allowed
 * @param param the field that named it
 * @throws HttpError ERR_WEIGHTS (400, 403)
 */
export function allowedWeights(path: string, allowed: string | null, param: string): string {
  if (allowed === null) {
    throw new HttpError(
      403,
      "ERR_WEIGHTS",
      `${param}: expected a server that may load weights, got one that may not. Start it with --allow-weights FOLDER.`,
      { param },
    );
  }
  const root = realPath(allowed);
  const folder = realPath(path);
  // Nothing is told of what exists elsewhere.
  if (root === null || folder === null || !isBelow(folder, root) || !statSync(folder).isDirectory()) {
    throw refused(param, "a folder below that of --allow-weights", "none there", "Check the path.");
  }
  const names = readdirSync(folder);
  if (names.length > maxFiles)
    throw refused(param, `at most ${maxFiles} files`, String(names.length), "Check the path.");
  for (const name of names) {
    const file = realPath(join(folder, name));
    if (file === null || !isBelow(file, root)) {
      throw refused(param, "files below the folder of --allow-weights", "one that leads elsewhere", "Copy it there.");
    }
  }
  if (!names.some((name) => name.endsWith(".safetensors"))) {
    throw refused(param, "a folder with safetensors", "one without", "Save the weights as safetensors.");
  }
  return folder;
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

function isBelow(path: string, root: string): boolean {
  return path.startsWith(root.endsWith(sep) ? root : root + sep);
}

function refused(param: string, expected: string, got: string, advice: string): HttpError {
  return new HttpError(400, "ERR_WEIGHTS", `${param}: expected ${expected}, got ${got}. ${advice}`, { param });
}
