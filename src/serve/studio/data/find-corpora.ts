// The corpora that can be reviewed: files of samples and MEP sets that the studio was opened on, and the data that its runs learn from.
import { accessSync, constants, existsSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { OppoError } from "../../../error.ts";
import { readSmall } from "../logs/safe-read.ts";
import { pathId } from "../path-id.ts";
import type { CorpusSummary } from "./data-api.ts";

export interface CorpusPlace extends CorpusSummary {
  /** Folder that media paths are relative to. */
  readonly mediaRoot: string;
  /** As a run's settings have them: which key of a row holds what. */
  readonly fields: unknown;
}

const manifestName = "mep.json";
const maxManifestBytes = 1_000_000;
const rootsSchema = z.object({ congruent: z.string().max(4096), conflict: z.string().max(4096) });
const corpusFile = /\.jsonl$/i;

/** Whether an argument names something to review rather than a folder of runs. */
export function isCorpus(path: string): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isFile() ? corpusFile.test(path) : existsSync(join(path, manifestName));
}

/** The folder of journals, made where there is none. @throws OppoError ERR_STUDIO_ANNOTATIONS */
export function openAnnotations(folder: string | null): string | null {
  if (folder === null) return null;
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return realpathSync(folder);
  } catch (error) {
    const said = `${folder}: expected a folder that decisions can be written to, got "${(error as Error).message}". Name another.`;
    throw new OppoError("ERR_STUDIO_ANNOTATIONS", said, { cause: error });
  }
}

/**
 * The places of a path that `isCorpus` takes: a MEP set has two files of samples.
 * @param annotations folder of the journals; null: each beside its corpus
 */
export function corporaAt(path: string, annotations: string | null, fields: unknown = null): CorpusPlace[] {
  const real = realpathSync(path);
  if (statSync(real).isFile())
    return [placeOf(real, { kind: "samples", mediaRoot: dirname(real), fields, annotations })];
  const roots = mediaRootsOf(real);
  return (["samples", "conflict"] as const)
    .map((part) => ({ file: join(real, `${part}.jsonl`), root: part === "samples" ? roots.congruent : roots.conflict }))
    .filter(({ file }) => (statSync(file, { throwIfNoEntry: false })?.size ?? 0) > 0)
    .map(({ file, root }) => placeOf(file, { kind: "mep", mediaRoot: root, fields: null, annotations }));
}

/** A set without the file that says where its media lie shows no clips. */
function mediaRootsOf(folder: string): z.output<typeof rootsSchema> {
  const here = { congruent: folder, conflict: folder };
  try {
    const { congruent, conflict } = rootsSchema.parse(
      JSON.parse(readSmall(join(folder, "media-roots.json"), maxManifestBytes) ?? ""),
    );
    return { congruent: resolve(folder, congruent), conflict: resolve(folder, conflict) };
  } catch {
    return here;
  }
}

interface PlaceOptions extends Pick<CorpusPlace, "kind" | "mediaRoot" | "fields"> {
  readonly annotations: string | null;
}

function placeOf(path: string, { kind, mediaRoot, fields, annotations }: PlaceOptions): CorpusPlace {
  const id = pathId(path);
  const stem = basename(path).replace(corpusFile, "");
  const journal =
    annotations === null
      ? join(dirname(path), `${stem}.annotations.jsonl`)
      : join(annotations, `${stem}-${id}.annotations.jsonl`);
  const name = join(basename(dirname(path)), basename(path));
  return { id, name, path, kind, journal, mediaRoot, fields };
}
