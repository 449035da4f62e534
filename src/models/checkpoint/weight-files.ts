// Reads and writes the weights of a model directory. Reading maps the files: a tensor's pages are loaded when it is
// first used, and no copy is made unless another dtype or device is asked for. Writing streams: parameters are asked for
// one at a time, in files of bounded size with an index when there are several.
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { OppoError } from "../../error.ts";
import {
  byteSize,
  CheckpointError,
  cudaAvailable,
  type DType,
  hasDevice,
  keep,
  knownDevices,
  noGrad,
  openSafetensors,
  type SafetensorsFile,
  scope,
  streamSafetensors,
  type Tensor,
  type TensorShape,
  torchVersion,
} from "../../tensor/index.ts";
import type { VideoTime } from "../omni-model.ts";
import { CONFIG_FILE, replaceText } from "./model-directory.ts";
import { numElements, type ParameterSpec } from "./parameter-spec.ts";
import { INDEX_FILE, requireWeights, SINGLE_FILE, type WeightTable } from "./weight-table.ts";

export interface LoadOptions {
  /** Default "cpu". */
  readonly device?: string;
  /** Default: as stored. */
  readonly dtype?: DType;
  /** Also reads every number and refuses NaN and infinity. */
  readonly checkValues?: boolean;
  /** Default: as the model learned. */
  readonly videoTime?: VideoTime;
}

/** Largest weights file: what Hugging Face's libraries write. */
const MAX_FILE_BYTES = 5e9;
const MAX_LISTED = 8;
const FLOATS: readonly DType[] = ["float32", "float64", "bfloat16", "float16"];

/** @throws OppoError ERR_DEVICE when there is no such device here */
function requireDevice(device: string): void {
  // privateuseone is libtorch's name for the device of a library that brings its own.
  const isKnown = /^(cpu|(cuda|privateuseone)(:\d+)?)$/.test(device);
  if (isKnown && hasDevice(device)) return;
  const here = `this machine has ${knownDevices().join(", ")} for this libtorch (${torchVersion()})`;
  const advice =
    device.startsWith("cuda") && !cudaAvailable()
      ? "Use cpu, or build the addon against a libtorch with CUDA (LIBTORCH)."
      : "Choose one of them.";
  throw new OppoError(
    "ERR_DEVICE",
    `device: expected cpu, cuda or cuda:N, got ${isKnown ? device : `"${device}"`}; ${here}. ${advice}`,
  );
}

/**
 * The described parameters of a directory, in the order of their description; the caller owns them.
 * @throws CheckpointError ERR_CHECKPOINT_KEYS, ERR_CHECKPOINT_DTYPE, ERR_CHECKPOINT_VALUES, ERR_CHECKPOINT_* of the files
 */
export function readWeights(
  table: WeightTable,
  specs: readonly ParameterSpec[],
  options: LoadOptions = {},
): Map<string, Tensor> {
  requireDevice(options.device ?? "cpu");
  requireWeights(table, specs);
  requireFloats(table, specs);
  const files = new Map<string, SafetensorsFile>();
  const parameters = new Map<string, Tensor>();
  try {
    for (const name of table.files) files.set(name, openSafetensors(join(table.directory, name)));
    const { device, dtype } = options;
    const convert = { ...(device ? { device } : {}), ...(dtype ? { dtype } : {}) };
    for (const { name } of specs) {
      const source = table.weights.get(name);
      if (!source) continue; // optional
      const file = files.get(source.file)!;
      parameters.set(
        name,
        scope(() => keep(file.tensor(source.key).to(convert))),
      );
    }
    if (options.checkValues) requireNumbers(table, parameters);
    return parameters;
  } catch (error) {
    for (const parameter of parameters.values()) parameter.dispose();
    throw error;
  } finally {
    for (const file of files.values()) file[Symbol.dispose]();
  }
}

/** What `make` makes owns the parameters; when it throws they are released. */
export function owning<T>(parameters: ReadonlyMap<string, Tensor>, make: () => T): T {
  try {
    return make();
  } catch (error) {
    for (const parameter of parameters.values()) parameter.dispose();
    throw error;
  }
}

/** Quantised checkpoints store integers under the same names. */
function requireFloats({ directory, weights }: WeightTable, specs: readonly ParameterSpec[]): void {
  for (const { name } of specs) {
    const stored = weights.get(name);
    if (stored === undefined || FLOATS.includes(stored.dtype)) continue;
    throw new CheckpointError(
      "ERR_CHECKPOINT_DTYPE",
      join(directory, stored.file),
      `expected ${name} in ${FLOATS.join(", ")}, got ${stored.dtype}. Quantised checkpoints are not supported.`,
      { key: stored.key },
    );
  }
}

function requireNumbers({ directory }: WeightTable, parameters: ReadonlyMap<string, Tensor>): void {
  // The sum of absolute values is finite exactly when all are, but for overflow, which the second look rules out.
  const isWrong = (parameter: Tensor) =>
    scope(() => {
      if (Number.isFinite(parameter.sum({ dtype: "float32" }).item())) return false;
      return parameter.isfinite().logicalNot().any().item() !== 0;
    });
  const wrong = noGrad(() => [...parameters].filter(([, parameter]) => isWrong(parameter)).map(([name]) => name));
  if (wrong.length === 0) return;
  const names = `${wrong.slice(0, MAX_LISTED).join(", ")}${wrong.length > MAX_LISTED ? ", ..." : ""}`;
  throw new CheckpointError(
    "ERR_CHECKPOINT_VALUES",
    directory,
    `expected finite numbers, got NaN or infinity in ${wrong.length} weights (${names}). The checkpoint is damaged.`,
  );
}

/**
 * Writes weights, asking for one at a time, and removes the weight files of an older save.
 * @param make the parameter of a name; released when it is written
 */
export function writeWeights(
  directory: string,
  shapes: ReadonlyMap<string, TensorShape>,
  make: (name: string) => Tensor,
  maxFileBytes: number = MAX_FILE_BYTES,
): void {
  mkdirSync(directory, { recursive: true });
  const shards = shardsOf(shapes, maxFileBytes);
  const names = shards.map((_, i) => fileName(i, shards.length));
  // Several files cannot be replaced at one stroke: until the last one is there, the directory is no model.
  if (shards.length > 1 || existsSync(join(directory, INDEX_FILE))) {
    for (const name of [CONFIG_FILE, INDEX_FILE]) rmSync(join(directory, name), { force: true });
  }
  shards.forEach((shard, i) => {
    streamSafetensors(join(directory, names[i]!), shard, make, { format: "pt" });
  });
  if (shards.length > 1) {
    const index = {
      metadata: { total_size: shards.reduce((sum, shard) => sum + numBytes(shard), 0) },
      weight_map: Object.fromEntries(shards.flatMap((shard, i) => [...shard.keys()].map((key) => [key, names[i]!]))),
    };
    replaceText(join(directory, INDEX_FILE), `${JSON.stringify(index, null, 2)}\n`);
  }
  for (const name of readdirSync(directory)) {
    const isWeights = name === SINGLE_FILE || /^model-\d{5}-of-\d{5}\.safetensors$/.test(name);
    if (isWeights && !names.includes(name)) rmSync(join(directory, name));
  }
}

type Shapes = ReadonlyMap<string, TensorShape>;

function bytesOf({ dtype, shape }: TensorShape): number {
  return numElements(shape) * byteSize(dtype);
}

function numBytes(shapes: Shapes): number {
  return [...shapes.values()].reduce((sum, shape) => sum + bytesOf(shape), 0);
}

function shardsOf(shapes: Shapes, maxFileBytes: number): Shapes[] {
  const shards: Map<string, TensorShape>[] = [];
  let room = 0;
  for (const [name, shape] of shapes) {
    const size = bytesOf(shape);
    if (shards.length === 0 || size > room) {
      shards.push(new Map());
      room = maxFileBytes;
    }
    shards.at(-1)!.set(name, shape);
    room -= size;
  }
  return shards;
}

function fileName(index: number, count: number): string {
  if (count === 1) return SINGLE_FILE;
  const number = (n: number) => String(n).padStart(5, "0");
  return `model-${number(index + 1)}-of-${number(count)}.safetensors`;
}
