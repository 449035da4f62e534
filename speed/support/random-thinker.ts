// A thinker with random weights that are drawn where it runs, without a file of weights: what the speed of published sizes is
// measured with.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildTheatreTokenizer } from "../../src/data/theatre/tokenizer.ts";
import { writeModelFiles } from "../../src/models/checkpoint/model-directory.ts";
import type { ParameterSpec } from "../../src/models/checkpoint/parameter-spec.ts";
import type { ModelShape } from "../../src/models/model-shape.ts";
import { savedConfig } from "../../src/models/qwen-omni/checkpoint.ts";
import type { PublishedSize } from "../../src/models/qwen-omni/config/config-json.ts";
import { initTiny, publishedFiles } from "../../src/models/qwen-omni/init.ts";
import { loadThinker, openThinker } from "../../src/models/qwen-omni/load.ts";
import { parameterSpecs } from "../../src/models/qwen-omni/parameters.ts";
import type { Thinker } from "../../src/models/qwen-omni/thinker.ts";
import { readModelShape } from "../../src/models/read-model-shape.ts";
import { type DType, keep, op, scope, type Tensor } from "../../src/tensor/index.ts";

export type ThinkerSize = PublishedSize | "tiny";

/** Small enough that sums over thousands of inputs stay finite in half precision. */
const weightStd = 0.02;

/** Its sizes, as plans read them. */
export function randomShape(size: ThinkerSize): Promise<ModelShape> {
  if (size !== "tiny") return readModelShape(`qwen2.5-omni-${size}`);
  return inFolder(async (directory) => {
    initTiny(directory, buildTheatreTokenizer(), 1);
    return await readModelShape(directory);
  });
}

export function randomThinker(size: ThinkerSize, device: string, dtype: DType): Promise<Thinker> {
  return inFolder(async (directory) => {
    if (size === "tiny") {
      initTiny(directory, buildTheatreTokenizer(), 1);
      return loadThinker(directory, { device, dtype });
    }
    const { config, companions } = publishedFiles(size, buildTheatreTokenizer());
    writeModelFiles(directory, savedConfig(config, dtype), companions);
    const parameters = new Map(parameterSpecs(config).map((spec) => [spec.name, drawn(spec, device, dtype)]));
    return openThinker({ directory, config, companions, parameters });
  });
}

async function inFolder<T>(body: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "oppo-random-"));
  try {
    return await body(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** From the device's own generator: these numbers need not come again. */
function drawn({ shape, role }: ParameterSpec, device: string, dtype: DType): Tensor {
  const target = { device, dtype };
  if (role === "zero") return keep(op.zeros(shape, target));
  if (role === "one") return keep(op.ones(shape, target));
  return keep(scope(() => op.empty(shape, target).normal_({ mean: 0, std: weightStd })));
}
