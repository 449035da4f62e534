// Where the demo keeps what: everything under one run directory, one folder or file per finished task.
import { join } from "node:path";
import type { TheatrePaths } from "../../train/theatre/context.ts";

export interface DemoPaths extends TheatrePaths {
  readonly root: string;
  readonly timings: string;
  readonly results: string;
  readonly report: string;
  /** Another cold start than the demo's own, and its logs. */
  otherStart(name: string): Pick<TheatrePaths, "sft" | "learning">;
  arm(name: string, seed: number): string;
  measured(name: string, seed: number): string;
}

export function demoPaths(root: string): DemoPaths {
  return {
    root,
    fresh: join(root, "models", "fresh"),
    sft: join(root, "models", "sft"),
    timings: join(root, "timings.json"),
    results: join(root, "results.json"),
    report: join(root, "report.html"),
    corpus: (split) => join(root, "corpus", split),
    tower: (modality) => join(root, "models", `tower-${modality}.safetensors`),
    towerAccuracy: (modality) => join(root, "models", `tower-${modality}.json`),
    learning: (name) => join(root, "learning", name),
    otherStart: (name) => ({
      sft: join(root, "models", `sft-${name}`),
      learning: (what) => join(root, "learning", `${what}-${name}`),
    }),
    arm: (name, seed) => join(root, "arms", name, `seed-${seed}`),
    measured: (name, seed) => join(root, "measured", `${name}-${seed}.json`),
  };
}
