// The data layer: samples, the JSONL format they are kept in, and the corpora that can be read or made.
export {
  DatasetError,
  loadSamples,
  mediaPath,
  type ReadOptions,
  readSamples,
  type SkippedRow,
  writeSamples,
} from "./jsonl.ts";
export type { Sample } from "./sample.ts";
export {
  type BuildOptions,
  type BuildProgress,
  type BuildResult,
  buildCorpus,
  type CorpusManifest,
  type CorpusPlan,
  defaultPlan,
  isBuilt,
  manifestFile,
  readManifest,
  type SplitPlan,
} from "./theatre/corpus.ts";
