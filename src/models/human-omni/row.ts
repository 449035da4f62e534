// HumanOmni, and R1-Omni which is trained from it, as a row of the registry.
import type { ArchitectureRow } from "../architecture.ts";

const sizes = { "human-omni-0.5b": "0.5b", "human-omni-7b": "7b", "human-omni-tiny": "tiny" } as const;

export const humanOmni: ArchitectureRow = {
  title: "HumanOmni / R1-Omni",
  use: "Use it with oppo train, infer, mep and serve.",
  inspect: async (json, path) => (await import("./describe.ts")).describe(json, path),
  load: async (directory, options) => (await import("./load.ts")).loadHumanOmni(directory, options),
  init: {
    shapes: {
      "human-omni-0.5b": { numParameters: 1_373_177_925 },
      "human-omni-7b": { numParameters: 9_581_587_845 },
      "human-omni-tiny": { numParameters: null },
    },
    inspect: async (shape) => (await import("./describe.ts")).describeFresh(sizes[shape as keyof typeof sizes]),
    write: async (shape, directory, files, options) => {
      const { initHumanOmni } = await import("./init.ts");
      initHumanOmni(directory, sizes[shape as keyof typeof sizes], files, options);
    },
  },
};
