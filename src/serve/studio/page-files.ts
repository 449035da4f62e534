// The files of the page, made by the set-up (scripts/setup/studio-page.mjs) and held in memory.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { OppoError } from "../../error.ts";

const names = {
  "index.html": "text/html",
  "app.js": "text/javascript",
  "app.css": "text/css",
  "icon.svg": "image/svg+xml",
};

export interface PageFile {
  readonly type: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Path -> file. @throws OppoError ERR_STUDIO_PAGE when it was not made */
export function readPageFiles(): ReadonlyMap<string, PageFile> {
  const folder = fileURLToPath(new URL("../../../../studio/", import.meta.url));
  return new Map(
    Object.entries(names).map(([name, type]) => {
      if (!existsSync(folder + name)) throw missing(folder + name);
      const bytes = new Uint8Array(readFileSync(folder + name));
      return [name === "index.html" ? "/" : `/${name}`, { type: `${type}; charset=utf-8`, bytes }];
    }),
  );
}

function missing(path: string): OppoError {
  return new OppoError("ERR_STUDIO_PAGE", `${path}: expected the studio's page, got none. Run: npm run setup`);
}
