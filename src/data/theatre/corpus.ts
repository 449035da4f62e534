// Building the whole corpus: splits of scenes, clips rendered by one or several processes, then one JSONL file per split
// and a manifest. A killed build goes on where it stopped; the manifest comes last, so where it is, everything is.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deriveSeed } from "../../seeds.ts";
import { sweepTemporaries, temporaryBeside } from "../../temporary-files.ts";
import { writeSamples } from "../jsonl.ts";
import { drawScene } from "./draw.ts";
import type { ClipFormat, CorpusPlan, SplitPlan } from "./plan.ts";
import { clipPath, type PlacedScene, renderClip, sceneSample } from "./render.ts";
import * as world from "./world.ts";

export interface BuildProgress {
  /** Clips of this process's share that are there now, of `total`. */
  readonly done: number;
  readonly total: number;
  readonly split: string;
}

export interface BuildOptions {
  /** This process renders every `count`-th clip, starting at `index`. */
  readonly shard?: { readonly index: number; readonly count: number };
  readonly onProgress?: (progress: BuildProgress) => void;
  /** Stops between two clips. */
  readonly signal?: AbortSignal;
}

export interface BuildResult {
  readonly numRendered: number;
  readonly numReused: number;
  /** True when every clip of every shard is there and rows and manifest are written. */
  readonly isComplete: boolean;
}

/** Example: `{ version: 1, hash: "5f0c...", seed: 1, splits: [{ name: "sft", kind: "train", numClips: 800, file: "sft.jsonl" }] }` */
export interface CorpusManifest {
  readonly version: 1;
  /** Of the plan and of the world's tables: two corpora with one hash are the same. */
  readonly hash: string;
  readonly worldHash: string;
  readonly seed: number;
  readonly format: ClipFormat;
  readonly splits: readonly (SplitPlan & { readonly file: string })[];
}

export const manifestFile = "corpus.json";

/**
 * Renders this shard's missing clips; whichever process finds all clips present writes the rows and the manifest.
 * @throws MediaError when a clip cannot be written; what was rendered stays.
 */
export async function buildCorpus(root: string, plan: CorpusPlan, options: BuildOptions = {}): Promise<BuildResult> {
  const { index, count } = options.shard ?? { index: 0, count: 1 };
  await mkdir(join(root, "clips"), { recursive: true });
  const all = placedScenes(plan);
  const mine = all.filter((_, i) => i % count === index);
  let numRendered = 0;
  for (const [i, placed] of mine.entries()) {
    options.signal?.throwIfAborted();
    if (await renderClip(root, placed, plan.format)) numRendered += 1;
    options.onProgress?.({ done: i + 1, total: mine.length, split: placed.split });
  }
  const isComplete = all.every((placed) => existsSync(join(root, clipPath(placed, plan.format))));
  if (isComplete) await finish(root, plan, all);
  return { numRendered, numReused: mine.length - numRendered, isComplete };
}

/** The manifest of a complete corpus, null when there is none. */
export async function readManifest(root: string): Promise<CorpusManifest | null> {
  const file = join(root, manifestFile);
  return existsSync(file) ? (JSON.parse(await readFile(file, "utf8")) as CorpusManifest) : null;
}

/** True when `root` holds exactly this corpus, complete. */
export async function isBuilt(root: string, plan: CorpusPlan): Promise<boolean> {
  return (await readManifest(root))?.hash === manifestOf(plan).hash;
}

/** Every scene of the plan, split after split. */
export function placedScenes(plan: CorpusPlan): readonly PlacedScene[] {
  return plan.splits.flatMap(({ name, kind, numClips, troupe }) =>
    Array.from({ length: numClips }, (_, i) => ({
      id: `${name}-${String(i).padStart(5, "0")}`,
      split: name,
      scene: drawScene(kind, deriveSeed(plan.seed, name, i), troupe),
    })),
  );
}

async function finish(root: string, plan: CorpusPlan, all: readonly PlacedScene[]): Promise<void> {
  const manifest = manifestOf(plan);
  for (const { name, file } of manifest.splits) {
    const rows = all.filter(({ split }) => split === name).map((placed) => sceneSample(placed, plan.format));
    await writeSamples(join(root, file), rows);
  }
  const partial = temporaryBeside(join(root, manifestFile));
  await writeFile(partial, `${JSON.stringify(manifest, null, 2)}\n`);
  await rename(partial, join(root, manifestFile));
  sweepTemporaries(join(root, "clips"));
}

/** Of the world's tables: what was made of others is not mixed with what is made of these. */
export function worldName(): string {
  return hashOf(Object.entries(world).filter(([, table]) => typeof table !== "function"));
}

function manifestOf(plan: CorpusPlan): CorpusManifest {
  const worldHash = worldName();
  return {
    version: 1,
    hash: hashOf([worldHash, plan, placedScenes(plan).map((placed) => clipPath(placed, plan.format))]),
    worldHash,
    seed: plan.seed,
    format: plan.format,
    splits: plan.splits.map((split) => ({ ...split, file: `${split.name}.jsonl` })),
  };
}

function hashOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);
}
