// Whether two sets of rows share content: an id, a media file, or the same bytes under another name. What is learnt from and what is
// measured on must not.
import { createHash } from "node:crypto";
import { createReadStream, existsSync, realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { audioPath, mediaPath } from "../data/jsonl.ts";
import type { Sample } from "../data/sample.ts";
import { OppoError } from "../error.ts";

export interface ContentRow {
  /** null where it says nothing of the content. */
  readonly id: string | null;
  /** Example: "row x (clips/x.mp4)" */
  readonly name: string;
  /** Absolute paths. */
  readonly media: readonly string[];
}

export interface SharedContent<Row extends ContentRow> {
  readonly first: Row;
  readonly second: Row;
  /** Example: "the same bytes" */
  readonly what: string;
}

/** Every row of `second` that has something in common with one of `first`, with the first such row. */
export async function sharedContent<Row extends ContentRow>(
  first: readonly Row[],
  second: readonly Row[],
): Promise<SharedContent<Row>[]> {
  const ids = new Map(first.flatMap((row) => (row.id === null ? [] : [[row.id, row] as const])));
  const contents = new Contents(first.flatMap(({ media }) => media));
  const owners = new Map<string, Row>();
  for (const row of first) for (const file of row.media) owners.set(realPath(file), row);
  const found: SharedContent<Row>[] = [];
  for (const row of second) {
    const sameId = row.id === null ? undefined : ids.get(row.id);
    if (sameId !== undefined) {
      found.push({ first: sameId, second: row, what: "the same id" });
      continue;
    }
    for (const file of row.media) {
      const twin = owners.has(realPath(file)) ? realPath(file) : await contents.twinOf(file);
      if (twin === null) continue;
      const what = twin === realPath(file) ? "the same file" : "the same bytes";
      found.push({ first: owners.get(twin)!, second: row, what });
      break;
    }
  }
  return found;
}

const maxNamed = 3;

/** @throws OppoError ERR_OVERLAP with the first rows */
export async function refuseOverlap(
  learnt: { readonly file: string; readonly rows: readonly ContentRow[] },
  measured: { readonly file: string; readonly rows: readonly ContentRow[] },
): Promise<void> {
  const shared = await sharedContent(learnt.rows, measured.rows);
  if (shared.length === 0) return;
  const named = shared.slice(0, maxNamed).map(({ first, second, what }) => `${second.name} is ${first.name}: ${what}`);
  const more = shared.length > maxNamed ? `; and ${shared.length - maxNamed} more` : "";
  throw new OppoError(
    "ERR_OVERLAP",
    `${measured.file}: expected rows that ${learnt.file} does not have, got ${shared.length} of ${measured.rows.length}: ${named.join("; ")}${more}. Take them out of one of the two.`,
  );
}

/** Files by their bytes; only those of equal size are read. */
class Contents {
  readonly #bySize = new Map<number, string[]>();
  readonly #hashes = new Map<string, string>();

  constructor(files: readonly string[]) {
    for (const file of new Set(files.map(realPath))) {
      const size = sizeOf(file);
      if (size !== null) this.#bySize.set(size, [...(this.#bySize.get(size) ?? []), file]);
    }
  }

  async twinOf(file: string): Promise<string | null> {
    const size = sizeOf(file);
    const alike = size === null ? [] : (this.#bySize.get(size) ?? []);
    if (alike.length === 0) return null;
    const hash = await this.#hash(realPath(file));
    for (const other of alike) if ((await this.#hash(other)) === hash) return other;
    return null;
  }

  async #hash(file: string): Promise<string> {
    const known = this.#hashes.get(file);
    if (known !== undefined) return known;
    const digest = createHash("sha256");
    await pipeline(createReadStream(file), digest);
    const hash = digest.digest("hex");
    this.#hashes.set(file, hash);
    return hash;
  }
}

/** null for what is no file, or an empty one, which is no clip. */
function sizeOf(file: string): number | null {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat?.isFile() && stat.size > 0 ? stat.size : null;
}

function realPath(file: string): string {
  return existsSync(file) ? realpathSync(file) : file;
}

/** A corpus as it is compared. */
export function contentOf(file: string, samples: readonly Sample[]): { file: string; rows: ContentRow[] } {
  const root = dirname(file);
  const rows = samples.map((sample) => {
    const sound = audioPath(root, sample);
    const media = [mediaPath(root, sample), ...(sound === null ? [] : [sound])];
    return { id: sample.id, name: `"${sample.id}" (${sample.media})`, media };
  });
  return { file, rows };
}
