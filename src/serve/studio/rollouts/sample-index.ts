// The rows of the data that a run learns from, found by name: where each stands in its file. A row's clip is a file below the
// data's folder, also after every link on the way; nothing else is ever opened.
import { existsSync, realpathSync } from "node:fs";
import { dirname, extname, join, resolve, sep } from "node:path";
import { fieldMapOf } from "../../../corpus/settings.ts";
import { audioPath, mediaPath, parseSample } from "../../../data/jsonl.ts";
import type { FieldMap } from "../../../data/row-fields.ts";
import type { Sample } from "../../../data/sample.ts";
import type { SampleList } from "../api.ts";
import { LineTail, type TailLine } from "../logs/line-tail.ts";
import { type LinePlace, readPart } from "../logs/safe-read.ts";

/** Of a file of samples. */
export const maxLineBytes = 1_000_000;
export const maxSamples = 300_000;
/** A demo's arms lie this deep in its folder. */
const maxClimb = 4;
const demoData = join("corpus", "rl", "rl.jsonl");

export const mediaTypes: Readonly<Record<string, string>> = {
  ".mp4": "video/mp4",
  ".m4v": "video/mp4",
  ".mov": "video/quicktime",
  ".webm": "video/webm",
  ".mkv": "video/x-matroska",
  ".avi": "video/x-msvideo",
  ".wav": "audio/wav",
  ".mp3": "audio/mpeg",
  ".m4a": "audio/mp4",
  ".flac": "audio/flac",
  ".ogg": "audio/ogg",
  ".opus": "audio/ogg",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".png": "image/png",
  ".webp": "image/webp",
};

/**
 * The file of rows that a run's settings name; null where they name none that is there. A relative path is one from where the run was
 * started: here, or a folder that the run lies in. @param root of the studio
 */
export function dataFileOf(
  directory: string,
  root: string,
  settings: Readonly<Record<string, unknown>>,
): string | null {
  const { data } = settings;
  const above = [directory];
  for (let up = 0; up < maxClimb; up++) above.push(dirname(above.at(-1)!));
  const inStudio = above.filter((folder) => folder.startsWith(dirname(root)));
  const places =
    typeof data === "string"
      ? [resolve(data), ...above.map((folder) => resolve(folder, data))]
      : inStudio.map((folder) => join(folder, demoData));
  const found = places.find((path) => existsSync(path));
  return found === undefined ? null : realpathSync(found);
}

export interface ClipFile {
  readonly path: string;
  /** Example: "video/mp4" */
  readonly type: string;
}

export class SampleIndex {
  readonly #file: string;
  readonly #fields: FieldMap;
  readonly #places = new Map<string, LinePlace>();
  readonly #tail: LineTail;

  constructor(file: string, fields: unknown) {
    this.#file = file;
    this.#fields = fieldsOf(fields);
    this.#tail = new LineTail(file, "data", {
      maxLineBytes,
      onReset: () => this.#places.clear(),
      onLine: (line) => this.#add(line),
    });
  }

  async find(id: string): Promise<Sample | null> {
    await this.#tail.catchUp();
    const place = this.#places.get(id);
    const text = place === undefined ? null : readPart(this.#file, place);
    if (text === null) return null;
    const parsed = parseSample(text, this.#fields);
    return "sample" in parsed && parsed.sample.id === id ? parsed.sample : null;
  }

  /** In the order of the file. */
  async names(search: string, limit: number): Promise<SampleList> {
    await this.#tail.catchUp();
    const found = [...this.#places.keys()].filter((id) => id.includes(search));
    return { total: found.length, ids: found.slice(0, limit) };
  }

  /**
   * The sample's clip or separate sound file; a reason where the page may not have it.
   * @param others real paths of folders that links may lead into
   */
  file(sample: Sample, part: "media" | "sound", others: readonly string[]): ClipFile | string | null {
    const root = dirname(this.#file);
    return clipFile(root, sample, part, [realpathSync(root), ...others]);
  }

  #add({ text, offset, length }: TailLine): string | null {
    if (text === null || this.#places.size >= maxSamples) return "no room";
    const parsed = parseSample(text, this.#fields);
    if ("reason" in parsed) return parsed.reason;
    if (!this.#places.has(parsed.sample.id)) this.#places.set(parsed.sample.id, { offset, length });
    return null;
  }
}

/** @param folders real paths that the file has to lie below, after every link on the way */
export function clipFile(
  root: string,
  sample: Sample,
  part: "media" | "sound",
  folders: readonly string[],
): ClipFile | string | null {
  let path: string | null;
  try {
    path = part === "media" ? mediaPath(root, sample) : audioPath(root, sample);
  } catch (error) {
    return (error as Error).message;
  }
  if (path === null) return null;
  if (!existsSync(path)) return `${path}: expected a file, got none. Was it moved?`;
  const real = realpathSync(path);
  if (!folders.some((folder) => real.startsWith(folder + sep)))
    return `${path}: what lies outside of the data's folder is shown only below the studio's folders and --media.`;
  const type = mediaTypes[extname(real).toLowerCase()];
  return type === undefined ? `${path}: expected a clip, got a file of another kind.` : { path: real, type };
}

export function fieldsOf(fields: unknown): FieldMap {
  try {
    return fieldMapOf(typeof fields === "string" ? fields : null);
  } catch {
    return {};
  }
}
