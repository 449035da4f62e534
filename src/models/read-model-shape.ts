// A model's shape from its folder (config.json and the headers of its files) or from a published name. Reads no weights and
// loads no native code.
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { OppoError } from "../error.ts";
import type { DType } from "../tensor/dtype.ts";
import { numElements } from "./checkpoint/parameter-spec.ts";
import { findWeights, type StoredWeight } from "./checkpoint/weight-table.ts";
import { linearLayers } from "./decoder/parameters.ts";
import type { ModelShape } from "./model-shape.ts";
import { freshShapes, type KnownArchitecture, readArchitecture, readFitting, readFreshShape } from "./registry.ts";

/**
 * @param model a folder, or a name such as qwen2.5-omni-7b or Qwen/Qwen2.5-Omni-7B
 * @throws OppoError ERR_MODEL_SHAPE for neither, CheckpointError ERR_CHECKPOINT_* of a folder
 */
export async function readModelShape(model: string): Promise<ModelShape> {
  if (existsSync(model)) return shapeOfFolder(model);
  const name = basename(model).toLowerCase();
  const published = await readFreshShape(name);
  if (published !== null) return { ...shapeOf(published, null), fitting: await readFitting(name, false) };
  const names = [...freshShapes()].flatMap(([name, numParameters]) => (numParameters === null ? [] : [name]));
  throw new OppoError(
    "ERR_MODEL_SHAPE",
    `model: expected a model's folder or one of ${names.join(", ")}, got "${model}". Check the path, or fetch it with oppo pull.`,
  );
}

async function shapeOfFolder(directory: string): Promise<ModelShape> {
  const architecture = await readArchitecture(directory);
  const shape = shapeOf(architecture, findWeights(directory, architecture.nameOf).weights);
  return { ...shape, fitting: await readFitting(directory, true) };
}

/** @param stored null: as published, in bfloat16 and with everything that a file may have */
function shapeOf(
  architecture: KnownArchitecture,
  stored: ReadonlyMap<string, StoredWeight> | null,
): Omit<ModelShape, "fitting"> {
  const { title, specs, partOf, decoder, isProjector = () => false, towers = null } = architecture;
  const parameters = specs.filter(({ name, optional }) => optional !== true || stored === null || stored.has(name));
  return {
    title,
    parameters,
    partOf,
    isProjector,
    linearLayers: linearLayers(parameters),
    decoder,
    towers,
    dtype: stored === null ? "bfloat16" : computingType(stored),
  };
}

/** That of most numbers, where it is a type to compute with: others are converted as they are loaded. */
function computingType(stored: ReadonlyMap<string, StoredWeight>): ModelShape["dtype"] {
  const sizes = new Map<DType, number>();
  for (const { dtype, shape } of stored.values()) sizes.set(dtype, (sizes.get(dtype) ?? 0) + numElements(shape));
  const [most] = [...sizes].sort((a, b) => b[1] - a[1])[0] ?? ["float32"];
  return most === "bfloat16" || most === "float16" ? "bfloat16" : "float32";
}
