// Qwen2.5-Omni's thinker as a row of the registry.
import type { ArchitectureRow } from "../architecture.ts";

export const qwenOmni: ArchitectureRow = {
  title: "Qwen2.5-Omni thinker",
  use: "Use it with oppo train, infer, mep and serve.",
  inspect: async (json, path) => (await import("./describe.ts")).describe(json, path),
  fitting: async (directory) => (await import("./pixel-ranges.ts")).fittingOf(directory),
  load: async (directory, options) => (await import("./load.ts")).loadThinker(directory, options),
  init: {
    shapes: {
      "qwen2.5-omni-3b": { numParameters: 4_703_464_448 },
      "qwen2.5-omni-7b": { numParameters: 8_931_813_888 },
      tiny: { numParameters: null },
    },
    inspect: async (shape) => (await import("./describe.ts")).describePublished(publishedSize(shape)),
    write: async (shape, directory, files, options) => {
      const { initPublished, initTiny } = await import("./init.ts");
      if (shape === "tiny") initTiny(directory, files, options.seed);
      else initPublished(directory, publishedSize(shape), files, options);
    },
  },
};

function publishedSize(shape: string): "3b" | "7b" {
  return shape === "qwen2.5-omni-3b" ? "3b" : "7b";
}
