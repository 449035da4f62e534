// Finds the reference files (goldens, lexicon) that live beside the repository, or the compact part of them in test/golden.
// Tests that need one skip with a message where it is absent.
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** Absolute path of a file or folder in the shared folder, e.g. "golden/mer/parse_public.json"; null where absent. */
export function sharedPath(relative: string): string | null {
  const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../../..");
  const given = process.env.OPPO_SHARED;
  const roots = [path.join(repository, "../shared"), path.join(repository, "../../shared")];
  if (given !== undefined) roots.unshift(given);
  // A compact part of the goldens is committed, for clones without the shared folder.
  roots.push(path.join(repository, "test"));
  for (const root of roots) {
    const candidate = path.join(root, relative);
    if (existsSync(candidate)) return candidate;
  }
  return null;
}
