// Looks at a model directory without loading it: the configuration, the index and the files' headers. Says what the model
// is, how large it is, what it needs in memory and what is missing. Loads no native code.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { byteSize, type DType } from "../tensor/dtype.ts";
import { numElements } from "./checkpoint/parameter-spec.ts";
import { compareWeights, findWeights, type WeightProblems, withWeightFolders } from "./checkpoint/weight-table.ts";
import type { DecoderConfig } from "./decoder/config.ts";
import { readArchitecture } from "./registry.ts";

export interface PartCount {
  readonly name: string;
  readonly numTensors: number;
  readonly numParameters: number;
}

/** Bytes, weights included; activations are not, since they depend on the batch. */
export interface MemoryNeeds {
  /** The weights as they are stored. */
  readonly weights: number;
  /** Keys and values of one token of context, in the weights' type. */
  readonly cachePerToken: number;
  /** Weights, gradients and AdamW's two moments of everything in float32, and a frozen reference. */
  readonly trainAll: number;
  /** The same with frozen towers and head. */
  readonly trainLanguage: number;
  /** Weights as stored, and adapters of rank 16 on every projection of the decoder with what AdamW needs; the reference is the model without them. */
  readonly trainLora: number;
}

export interface Inspection {
  readonly directory: string;
  readonly title: string;
  readonly modelType: string;
  readonly files: readonly string[];
  readonly numTensors: number;
  readonly numParameters: number;
  readonly parts: readonly PartCount[];
  /** Element type -> parameters of it. */
  readonly dtypes: Readonly<Partial<Record<DType, number>>>;
  readonly decoder: DecoderConfig;
  readonly memory: MemoryNeeds;
  /** Keys of parts that are not read. */
  readonly numSkipped: number;
  /** Files that should be there and are not. */
  readonly absentFiles: readonly string[];
  readonly problems: WeightProblems;
  /** What is not followed, or must still be fetched, one line each. */
  readonly notices: readonly string[];
  /** Whether it can be loaded. */
  readonly isComplete: boolean;
}

/** @throws CheckpointError ERR_CHECKPOINT_* for what is damaged or of another kind; what is only missing is listed */
export async function inspectModel(directory: string): Promise<Inspection> {
  const architecture = await readArchitecture(directory);
  const own = findWeights(directory, architecture.nameOf, true);
  const table = withWeightFolders(own, architecture.folders ?? []);
  const problems = compareWeights(table, architecture.specs);
  const parts = new Map<string, { numTensors: number; numParameters: number }>();
  const dtypes: Partial<Record<DType, number>> = {};
  for (const [name, { dtype, shape }] of table.weights) {
    const part = architecture.partOf(name);
    const count = parts.get(part) ?? { numTensors: 0, numParameters: 0 };
    const size = numElements(shape);
    parts.set(part, { numTensors: count.numTensors + 1, numParameters: count.numParameters + size });
    dtypes[dtype] = (dtypes[dtype] ?? 0) + size;
  }
  const counts = [...parts].map(([name, count]) => ({ name, ...count }));
  const weightBytes = [...table.weights.values()].reduce((sum, { numBytes }) => sum + numBytes, 0);
  const absentFiles = [
    ...table.absent,
    ...architecture.companions
      .filter((group) => !group.some((name) => existsSync(join(directory, name))))
      .map((group) => group.join(" or ")),
  ];
  return {
    directory,
    title: architecture.title,
    modelType: architecture.modelType,
    files: table.files,
    numTensors: table.weights.size,
    numParameters: counts.reduce((sum, { numParameters }) => sum + numParameters, 0),
    parts: counts,
    dtypes,
    decoder: architecture.decoder,
    memory: memoryNeeds(counts, weightBytes, dtypes, architecture.decoder),
    numSkipped: table.skipped.length,
    absentFiles,
    problems,
    notices: architecture.notices?.(table) ?? [],
    isComplete: absentFiles.length === 0 && Object.values(problems).every((names) => names.length === 0),
  };
}

const FLOAT_BYTES = 4;
/** Gradient and two moments. */
const TRAINED_BYTES = 3 * FLOAT_BYTES;
/** Of the estimate. */
export const LORA_RANK = 16;

function memoryNeeds(
  parts: readonly PartCount[],
  weights: number,
  dtypes: Inspection["dtypes"],
  decoder: DecoderConfig,
): MemoryNeeds {
  const all = parts.reduce((sum, { numParameters }) => sum + numParameters, 0);
  const language = parts.find(({ name }) => name === "language model")?.numParameters ?? 0;
  const widest = Math.max(2, ...Object.keys(dtypes).map((dtype) => byteSize(dtype as DType)));
  return {
    weights,
    cachePerToken: 2 * decoder.numLayers * decoder.numKvHeads * decoder.headDim * widest,
    trainAll: all * (FLOAT_BYTES + TRAINED_BYTES) + all * FLOAT_BYTES,
    trainLanguage: all * FLOAT_BYTES + language * (TRAINED_BYTES + FLOAT_BYTES),
    trainLora: weights + loraParameters(decoder, LORA_RANK) * (FLOAT_BYTES + TRAINED_BYTES),
  };
}

/** Parameters of adapters on all seven projections of every layer: rank * (inputs + outputs) each. */
function loraParameters(decoder: DecoderConfig, rank: number): number {
  const { hiddenSize: d, intermediateSize: f, headDim, numHeads, numKvHeads } = decoder;
  const queries = numHeads * headDim;
  const keys = numKvHeads * headDim;
  const perLayer = d + queries + 2 * (d + keys) + (queries + d) + 3 * (d + f);
  return decoder.numLayers * rank * perLayer;
}
