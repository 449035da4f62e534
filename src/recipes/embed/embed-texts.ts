// `oppo embed`: texts to vectors with any embedder, to a file, as JSON or as a matrix of cosines.

import type { OpenedEmbedder } from "../../corpus/embedding/opened-embedder.ts";
import { npyBytes } from "../../data/numpy/write-npy.ts";
import { OppoError } from "../../error.ts";
import { cosineMatrix } from "../../evidence/similarity.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import type { Progress } from "../../run/progress.ts";

export interface EmbeddedTexts {
  readonly embedder: string;
  readonly dimension: number;
  readonly texts: readonly string[];
  /** Row-major [texts, dimension]. */
  readonly vectors: Float32Array;
}

export interface EmbedJob {
  /** The texts are queries (with the embedder's instruction); else documents. */
  readonly asQueries: boolean;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
}

/** A larger matrix is for a file. */
export const maxCompared = 2000;

export async function embedTexts(
  { embedder, textsPerTurn }: Pick<OpenedEmbedder, "embedder" | "textsPerTurn">,
  texts: readonly string[],
  { asQueries, progress, interrupt }: EmbedJob,
): Promise<EmbeddedTexts> {
  const { name, dimension } = embedder;
  const vectors = new Float32Array(texts.length * dimension);
  const stage = texts.length > textsPerTurn ? progress.stage("embedding", texts.length) : null;
  for (let start = 0; start < texts.length; start += textsPerTurn) {
    const part = texts.slice(start, start + textsPerTurn);
    vectors.set(await embedder.embed(part, asQueries ? "clause" : "cue"), start * dimension);
    stage?.update(start + part.length);
    await interrupt.safePoint();
  }
  stage?.finish();
  return { embedder: name, dimension, texts, vectors };
}

/** The end of the name decides the form. @throws OppoError ERR_TEXTS, ERR_DISK_FULL, CheckpointError */
export async function writeVectors(
  path: string,
  { embedder, dimension, texts, vectors }: EmbeddedTexts,
): Promise<void> {
  if (path.endsWith(".npy")) replaceFile(path, npyBytes(vectors, [texts.length, dimension]));
  else {
    // Only here: everything else does without the addon.
    const { scope, tensor, writeSafetensors } = await import("../../tensor/index.ts");
    scope(() => {
      const rows = tensor(vectors, [texts.length, dimension]);
      writeSafetensors(path, new Map([["embeddings", rows]]), { embedder });
    });
  }
}

/** Before anything is embedded. @throws OppoError ERR_TEXTS */
export function requireVectorFile(path: string): void {
  if (/\.(npy|safetensors)$/.test(path)) return;
  throw new OppoError(
    "ERR_TEXTS",
    `${path}: expected a name that ends in .npy or .safetensors. Choose one of the two.`,
  );
}

/** Every text with every other one. @throws OppoError ERR_TEXTS when there are too many for a table */
export function compareTexts({ texts, vectors, dimension }: EmbeddedTexts): number[][] {
  if (texts.length > maxCompared) {
    throw new OppoError(
      "ERR_TEXTS",
      `compare: expected at most ${maxCompared} texts, got ${texts.length}. Write the vectors to a file with --out.`,
    );
  }
  const cosines = cosineMatrix(vectors, vectors, dimension);
  return texts.map((_, row) => [...cosines.subarray(row * texts.length, (row + 1) * texts.length)]);
}
