// What addresses of the page name a run, a corpus or a model by: a mark of its path.
import { createHash } from "node:crypto";

/** 12 hex digits. @param path real or resolved, so that one thing has one name */
export function pathId(path: string): string {
  return createHash("sha256").update(path).digest("hex").slice(0, 12);
}
