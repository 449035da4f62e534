// The way into models: a directory's config.json names its model_type, which chooses the row that loads, inspects and makes
// models of its kind. An architecture is a folder and a row here.
import { join } from "node:path";
import { OppoError } from "../error.ts";
import type { Embedder } from "../evidence/cue.ts";
import type { VideoFit } from "../media/fit.ts";
import { CheckpointError } from "../tensor/error.ts";
import type {
  Architecture,
  ArchitectureRow,
  FreshOptions,
  TextEmbedderOptions,
  TokenizerFiles,
} from "./architecture.ts";
import { CONFIG_FILE, readConfigJson } from "./checkpoint/model-directory.ts";
import type { LoadOptions } from "./checkpoint/weight-files.ts";
import { humanOmni } from "./human-omni/row.ts";
import type { OmniModel } from "./omni-model.ts";
import { qwenOmni } from "./qwen-omni/row.ts";
import { qwen2, qwen3 } from "./qwen-text/row.ts";

/** model_type -> row. */
const architectures: Readonly<Record<string, ArchitectureRow>> = {
  qwen2_5_omni: qwenOmni,
  qwen2_5_omni_thinker: qwenOmni,
  HumanOmni_qwen2: humanOmni,
  qwen2,
  qwen3,
};

export interface KnownArchitecture extends Architecture {
  readonly title: string;
  readonly modelType: string;
}

/** @throws CheckpointError ERR_CHECKPOINT_MISSING, ERR_CHECKPOINT_ARCHITECTURE, ERR_CHECKPOINT_CONFIG */
export async function readArchitecture(directory: string): Promise<KnownArchitecture> {
  const { row, modelType, json } = rowOf(directory);
  return { ...(await row.inspect(json, join(directory, CONFIG_FILE))), title: row.title, modelType };
}

/**
 * Loads a Hugging Face style directory; the caller disposes the model. Parameters do not require gradients until asked to.
 * @throws CheckpointError ERR_CHECKPOINT_ARCHITECTURE also for a model of texts alone
 */
export async function loadModel(directory: string, options: LoadOptions = {}): Promise<OmniModel> {
  const { row, modelType } = rowOf(directory);
  if (row.load === undefined) throw wrongKind(directory, "a model that sees and hears", "load", modelType, row);
  return row.load(directory, options);
}

/** @throws CheckpointError, OppoError of the tokenizer's file, ERR_EMBEDDER */
export async function loadTextEmbedder(
  directory: string,
  options: TextEmbedderOptions = {},
): Promise<Embedder & Disposable> {
  const { row, modelType } = rowOf(directory);
  if (row.loadEmbedder === undefined) throw wrongKind(directory, "a model of texts", "loadEmbedder", modelType, row);
  return row.loadEmbedder(directory, options);
}

/** The shapes that `initFresh` can write, with the parameters of the large ones. */
export function freshShapes(): ReadonlyMap<string, number | null> {
  const all = Object.values(architectures).flatMap(({ init }) => Object.entries(init?.shapes ?? {}));
  return new Map(all.map(([name, { numParameters }]) => [name, numParameters]));
}

/** What a large shape of `freshShapes` is made of; null for any other name. */
export async function readFreshShape(shape: string): Promise<KnownArchitecture | null> {
  if (!freshShapes().get(shape)) return null;
  const [modelType, row] = Object.entries(architectures).find(
    ([, { init }]) => init !== undefined && Object.hasOwn(init.shapes, shape),
  )!;
  return { ...(await row.init!.inspect(shape)), title: row.title, modelType };
}

/** How a model looks at a video, from its folder or its published name; null where its architecture does not say. */
export async function readFitting(model: string, isFolder: boolean): Promise<VideoFit | null> {
  if (isFolder) return (await rowOf(model).row.fitting?.(model)) ?? null;
  const row = Object.values(architectures).find(({ init }) => init !== undefined && Object.hasOwn(init.shapes, model));
  return (await row?.fitting?.(null)) ?? null;
}

/** Writes a model with random weights. @throws OppoError ERR_MODEL_SHAPE, CheckpointError ERR_CHECKPOINT_WRITE */
export async function initFresh(
  shape: string,
  directory: string,
  files: TokenizerFiles,
  options: FreshOptions,
): Promise<void> {
  const row = Object.values(architectures).find(({ init }) => init !== undefined && Object.hasOwn(init.shapes, shape));
  if (row?.init === undefined) {
    throw new OppoError(
      "ERR_MODEL_SHAPE",
      `shape: expected ${listed([...freshShapes().keys()])}, got "${shape}". Choose one of them.`,
    );
  }
  await row.init.write(shape, directory, files, options);
}

interface FoundRow {
  readonly row: ArchitectureRow;
  readonly modelType: string;
  readonly json: Readonly<Record<string, unknown>>;
}

function rowOf(directory: string): FoundRow {
  const json = readConfigJson(directory);
  const type = json.model_type;
  if (typeof type === "string" && Object.hasOwn(architectures, type)) {
    return { row: architectures[type]!, modelType: type, json };
  }
  throw new CheckpointError(
    "ERR_CHECKPOINT_ARCHITECTURE",
    join(directory, CONFIG_FILE),
    `expected model_type ${listed(Object.keys(architectures))}, got ${JSON.stringify(type) ?? "none"}. ` +
      "Give a folder of one of these models.",
  );
}

function wrongKind(
  directory: string,
  expected: string,
  way: "load" | "loadEmbedder",
  modelType: string,
  { title, use }: ArchitectureRow,
): CheckpointError {
  const types = Object.keys(architectures).filter((type) => architectures[type]![way] !== undefined);
  return new CheckpointError(
    "ERR_CHECKPOINT_ARCHITECTURE",
    join(directory, CONFIG_FILE),
    `expected ${expected} (model_type ${listed(types)}), got ${modelType}, a ${title}. ${use}`,
  );
}

/** "a, b or c" */
function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}
