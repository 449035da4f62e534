// A MEP set on disk: a folder that says what it is made of, with a hash over it, so that two results can be known to rest on
// the same questions. It holds annotations and questions, no media: `media-roots.json`, which the hash leaves out, says where
// those lie. The same corpus, settings and seed give the same bytes.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { z } from "zod";
import { buildCueBank } from "../../bench/cue-bank.ts";
import type { MepSet } from "../../bench/mep-set.ts";
import { type Probe, probeKinds, probeQuery } from "../../bench/probes.ts";
import type { Swap } from "../../bench/swap.ts";
import type { NoticedClip } from "../../corpus/clips/clip-notices.ts";
import { kindNamed } from "../../corpus/kinds.ts";
import { loadSamples } from "../../data/jsonl.ts";
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";
import type { Cue, Embedder } from "../../evidence/cue.ts";
import { temporaryBeside } from "../../temporary-files.ts";

export const manifestName = "mep.json";
const formatVersion = 1;
const mediaRootsName = "media-roots.json";

const hash = z.string().regex(/^[0-9a-f]{64}$/);
const counts = z.record(z.string(), z.number());
const manifestSchema = z.strictObject({
  format: z.literal("oppo-mep"),
  version: z.number(),
  name: z.string(),
  /** Over the files below, in their order. */
  hash,
  source: z.strictObject({ name: z.string(), conflict: z.string().nullable(), numSamples: z.number(), hash }),
  setting: z.strictObject({
    /** The kind of corpus that brought its own setting; null for an annotated one. */
    kind: z.string().nullable(),
    question: z.string(),
    /** As `--embedder` takes it, and the name of what it gave. */
    embedder: z.strictObject({ choice: z.string(), name: z.string() }),
  }),
  options: counts,
  counts,
  files: z.record(z.string(), hash),
});

export type MepManifest = z.infer<typeof manifestSchema>;

/** What a manifest says before the files are hashed. */
export type MepFacts = Omit<MepManifest, "format" | "version" | "hash" | "files">;

const cueSchema = z.object({ kind: z.enum(["video", "audio"]), text: z.string().min(1) });
const swapSchema = z.object({ sample: z.string(), partner: z.string() });
const probeSchema = z.object({
  sample: z.string(),
  kind: z.enum(probeKinds),
  modality: z.enum(["video", "audio"]),
  cue: z.string(),
  expected: z.enum(["yes", "no"]),
});

/** A set as it lies on disk; `openMepSet` gives its cues their vectors. */
export interface MepDirectory {
  readonly path: string;
  readonly manifest: MepManifest;
  readonly congruent: readonly Sample[];
  readonly conflict: readonly Sample[];
  readonly cues: readonly Cue[];
  readonly probes: readonly Probe[];
  readonly swaps: readonly Swap[];
  /** Sample id -> SHA-256 of its media file when the set was made. */
  readonly mediaHashes: ReadonlyMap<string, string>;
  /** Clips whose files gave less than they state when the set was made. */
  readonly noticed: readonly NoticedClip[];
  readonly mediaRoots: MediaRoots;
}

/** Folders that the samples' media paths are relative to. */
export interface MediaRoots {
  readonly congruent: string;
  readonly conflict: string;
}

export interface MepContent {
  readonly set: MepSet;
  readonly facts: MepFacts;
  readonly mediaHashes: ReadonlyMap<string, string>;
  readonly noticed: readonly NoticedClip[];
  /** The data card, given the set's hash. */
  readonly card: (hash: string) => string;
  readonly mediaRoots: MediaRoots;
}

/** Writes the folder at once or not at all. @throws OppoError ERR_MEP_EXISTS */
export function writeMepSet(
  path: string,
  { set, facts, mediaHashes, noticed, card, mediaRoots }: MepContent,
): MepManifest {
  const rows = (values: readonly unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");
  const notices = new Map(noticed.map(({ id, notices: own }) => [id, { mediaNotices: own }]));
  const sampleRows = (samples: readonly Sample[]) =>
    rows(
      samples.map((sample) => {
        const media = { mediaSha256: mediaHashes.get(sample.id)!, ...notices.get(sample.id) };
        return { ...sample, meta: { ...sample.meta, ...media } };
      }),
    );
  const files: Record<string, string> = {
    "samples.jsonl": sampleRows(set.congruent),
    "conflict.jsonl": sampleRows(set.conflict),
    "cues.jsonl": rows(set.bank.cues),
    "probes.jsonl": rows(set.probes.map(probeRow)),
    "swaps.jsonl": rows(set.swaps.map(({ sample, partner }) => ({ sample: sample.id, partner: partner.id }))),
  };
  const hashes = Object.fromEntries(Object.entries(files).map(([name, text]) => [name, sha256(text)]));
  const manifest: MepManifest = {
    format: "oppo-mep",
    version: formatVersion,
    hash: setHash(facts, hashes),
    ...facts,
    files: hashes,
  };
  requireFree(path, manifest.hash);
  const partial = temporaryBeside(resolve(path));
  try {
    mkdirSync(partial, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(partial, name), text);
    writeFileSync(join(partial, "CARD.md"), card(manifest.hash));
    writeFileSync(join(partial, mediaRootsName), `${JSON.stringify(relativeRoots(path, mediaRoots), null, 2)}\n`);
    writeFileSync(join(partial, manifestName), `${JSON.stringify(manifest, null, 2)}\n`);
    rmSync(path, { recursive: true, force: true });
    renameSync(partial, resolve(path));
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw error;
  }
  return manifest;
}

function probeRow({ sample, kind, modality, cue, expected, ...probe }: Probe) {
  const question = probeQuery({ sample, kind, modality, cue, expected, ...probe }).prompt;
  return { sample: sample.id, kind, modality, cue: cue.text, question, expected };
}

/** What decides every score: the files, and how questions are put and cues compared. */
function setHash({ setting }: Pick<MepFacts, "setting">, files: Readonly<Record<string, string>>): string {
  const { kind, question, embedder } = setting;
  return sha256(JSON.stringify([formatVersion, kind !== null, question, embedder.name, Object.entries(files)]));
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** A folder that holds the very same set may be written again; anything else stays as it is. */
function requireFree(path: string, hash: string): void {
  if (!existsSync(path) || readdirSync(path).length === 0) return;
  const found = existsSync(join(path, manifestName)) ? readManifest(path).hash : null;
  if (found === hash) return;
  throw new OppoError(
    "ERR_MEP_EXISTS",
    `${path}: expected an empty folder, got ${found === null ? "one with other files" : `another MEP set (${found.slice(0, 12)})`}. Choose another folder, or remove this one.`,
  );
}

/** @throws OppoError ERR_MEP_SET when it is no set, or was changed after it was made */
export async function readMepSet(path: string, mediaRoot: string | null = null): Promise<MepDirectory> {
  const manifest = readManifest(path);
  for (const [name, expected] of Object.entries(manifest.files)) {
    const found = existsSync(join(path, name)) ? sha256(readFileSync(join(path, name))) : null;
    if (found !== expected) throw wrongSet(path, `${name} ${found === null ? "missing" : "changed"} since it was made`);
  }
  if (setHash(manifest, manifest.files) !== manifest.hash) throw wrongSet(path, `${manifestName} changed`);
  const mediaHashes = new Map<string, string>();
  const noticed: NoticedClip[] = [];
  const load = async (name: string) => {
    const { samples } = await loadSamples(join(path, name), { maxSkippedRows: 0 });
    return samples.map((sample) => {
      const { mediaSha256, mediaNotices, ...meta } = sample.meta ?? {};
      mediaHashes.set(sample.id, String(mediaSha256));
      if (Array.isArray(mediaNotices)) noticed.push({ id: sample.id, notices: mediaNotices.map(String) });
      return { ...sample, meta };
    });
  };
  const congruent = await load("samples.jsonl");
  const conflict = await load("conflict.jsonl");
  const byId = new Map(congruent.map((sample) => [sample.id, sample]));
  const sampleOf = (id: string): Sample => {
    const sample = byId.get(id);
    if (sample === undefined) throw wrongSet(path, `a question about "${id}", which is not in samples.jsonl`);
    return sample;
  };
  const probes = readRows(path, "probes.jsonl", probeSchema).map(({ sample, cue, ...probe }): Probe => {
    return { ...probe, sample: sampleOf(sample), cue: { kind: probe.modality, text: cue } };
  });
  const swaps = readRows(path, "swaps.jsonl", swapSchema).map(({ sample, partner }): Swap => {
    return { sample: sampleOf(sample), partner: sampleOf(partner) };
  });
  const cues = readRows(path, "cues.jsonl", cueSchema);
  const mediaRoots = mediaRoot === null ? rootsOf(path) : { congruent: mediaRoot, conflict: mediaRoot };
  return { path, manifest, congruent, conflict, cues, probes, swaps, mediaHashes, noticed, mediaRoots };
}

/** The set with its cues as vectors. @throws OppoError ERR_MEP_EMBEDDER when it was made with another embedder */
export async function openMepSet(directory: MepDirectory, embedder: Embedder): Promise<MepSet> {
  const { manifest, cues, congruent, conflict, probes, swaps } = directory;
  const { kind } = manifest.setting;
  const { name } = manifest.setting.embedder;
  if (embedder.name !== name) {
    throw new OppoError(
      "ERR_MEP_EMBEDDER",
      `${directory.path}: expected the embedder that the set was made with, ${name}, got ${embedder.name}. Give its --embedder, or build the set again with this one.${name.startsWith(`${embedder.name}-q`) ? " (Earlier sets put an instruction before clauses; now statements and cues are embedded alike.)" : ""}`,
    );
  }
  const absenceOf = kind === null ? undefined : kindNamed(kind)?.absenceOf;
  return { bank: await buildCueBank(cues, embedder), congruent, conflict, probes, swaps, absenceOf };
}

/** Relative, so that set and media may move together. */
function relativeRoots(path: string, roots: MediaRoots): MediaRoots {
  const from = (root: string) => relative(resolve(path), resolve(root)) || ".";
  return { congruent: from(roots.congruent), conflict: from(roots.conflict) };
}

function rootsOf(path: string): MediaRoots {
  const file = join(path, mediaRootsName);
  const roots = z.object({ congruent: z.string(), conflict: z.string() });
  try {
    const { congruent, conflict } = roots.parse(JSON.parse(readFileSync(file, "utf8")));
    return { congruent: resolve(path, congruent), conflict: resolve(path, conflict) };
  } catch {
    throw wrongSet(path, `no ${mediaRootsName} that says where its media are`, " Give --media FOLDER.");
  }
}

function readManifest(path: string): MepManifest {
  const file = join(path, manifestName);
  if (!existsSync(file)) {
    const hint = path.endsWith(".jsonl") ? ` Make one of this corpus: oppo mep build --data ${basename(path)}.` : "";
    throw wrongSet(path, `no ${manifestName} in ${existsSync(path) ? "it" : dirname(resolve(path))}`, hint);
  }
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    throw wrongSet(path, `${manifestName} that is not JSON (${(error as Error).message})`);
  }
  const version = (value as { version?: unknown } | null)?.version;
  if (typeof version === "number" && version !== formatVersion) {
    throw wrongSet(path, `format version ${version} instead of ${formatVersion}`, " Build the set again.");
  }
  const parsed = manifestSchema.safeParse(withKind(value));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw wrongSet(path, `${manifestName} with ${issue!.path.join(".") || "the file"}: ${issue!.message}`);
}

/** Sets of before corpora had kinds say whether they are the theatre's. */
function withKind(value: unknown): unknown {
  const { setting, ...rest } = (value ?? {}) as { setting?: Record<string, unknown> };
  if (typeof setting?.isTheatre !== "boolean") return value;
  const { isTheatre, ...others } = setting;
  return { ...rest, setting: { kind: isTheatre ? "theatre" : null, ...others } };
}

function readRows<T>(path: string, name: string, schema: z.ZodType<T>): T[] {
  const lines = readFileSync(join(path, name), "utf8").split("\n");
  return lines.flatMap((line, i) => {
    if (line === "") return [];
    try {
      return [schema.parse(JSON.parse(line))];
    } catch (cause) {
      throw wrongSet(path, `${name}:${i + 1} that is no row of it (${(cause as Error).message.slice(0, 100)})`);
    }
  });
}

function wrongSet(path: string, got: string, hint = ""): OppoError {
  return new OppoError("ERR_MEP_SET", `${path}: expected a MEP set as oppo mep build writes it, got ${got}.${hint}`);
}
