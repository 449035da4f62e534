// The data layer: samples, the JSONL format they are kept in, the data sets that can be read, and the corpus that is made.
export { datasetNamed, datasets } from "./datasets.ts";
export type { GroundTruth } from "./ground-truth.ts";
export {
  audioPath,
  DatasetError,
  loadSamples,
  mediaPath,
  type ReadOptions,
  readSamples,
  type SkippedRow,
  writeSamples,
} from "./jsonl.ts";
export { readDataset, readGroundTruth } from "./read-dataset.ts";
export type { AnnotatedSample, DatasetReader, DatasetReadOptions, RowProblem, Split } from "./reader.ts";
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
