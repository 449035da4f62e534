// What an architecture brings: a row of the registry. Rows are plain data that loads nothing: each function imports its code
// when it is called, so that a list of names or an inspection needs no native code.
import type { Embedder } from "../evidence/cue.ts";
import type { VideoFit } from "../media/fit.ts";
import type { DType } from "../tensor/index.ts";
import type { ParameterSpec } from "./checkpoint/parameter-spec.ts";
import type { LoadOptions } from "./checkpoint/weight-files.ts";
import type { KeyNames, WeightFolder, WeightTable } from "./checkpoint/weight-table.ts";
import type { DecoderConfig } from "./decoder/config.ts";
import type { TowerShape } from "./model-shape.ts";
import type { ModelPart, OmniModel } from "./omni-model.ts";

/** What kind of model a directory holds, from its config.json alone. */
export interface Architecture {
  readonly specs: readonly ParameterSpec[];
  readonly nameOf: KeyNames;
  readonly partOf: (name: string) => ModelPart;
  readonly decoder: DecoderConfig;
  /** As `OmniModel.isProjector`; left out, no parameter is one. */
  readonly isProjector?: (name: string) => boolean;
  /** Left out: what they cost is not known. */
  readonly towers?: readonly TowerShape[];
  /** Files that it needs beside the weights: any one of each group must be there. */
  readonly companions: readonly (readonly string[])[];
  /** Folders below it where weights of parts may lie that its own lack. */
  readonly folders?: readonly WeightFolder[];
  /** What of the directory is not followed, or must still be fetched, one line each. */
  notices?(table: WeightTable): readonly string[];
}

/** What the tokenizer of a new model consists of. */
export interface TokenizerFiles {
  readonly tokenizerJson: Readonly<Record<string, unknown>>;
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
  readonly chatTemplate: string;
}

export interface FreshOptions {
  readonly seed: number;
  readonly dtype: DType;
  /** Called after every parameter, with the bytes written so far. */
  readonly onProgress?: (numBytes: number) => void;
}

export interface TextEmbedderOptions extends LoadOptions {
  /** Leading dimensions to keep (Matryoshka); default all. */
  readonly dimension?: number;
  /** What a query is for; texts are then embedded as queries. Default: as documents. */
  readonly instruction?: string;
  /** Longer texts are cut; default 8192. */
  readonly maxTokens?: number;
}

/** A shape that a model with random weights can have. */
export interface FreshShape {
  /** Tells the disk space that it takes; null: little, and its numbers are always float32. */
  readonly numParameters: number | null;
}

export interface ArchitectureRow {
  /** Example: "Qwen2.5-Omni thinker" */
  readonly title: string;
  /** What it serves for, as the end of a message. Example: "Use it as an embedder: --embedder qwen3:DIRECTORY." */
  readonly use: string;
  /**
   * Reads a parsed config.json of `path`, which errors name.
   * @throws CheckpointError ERR_CHECKPOINT_CONFIG
   */
  inspect(json: Readonly<Record<string, unknown>>, path: string): Promise<Architecture>;
  /** How its models look at a video, from a directory's small files; null: of a published shape. Left out: nobody says. */
  fitting?(directory: string | null): Promise<VideoFit>;
  /** Left out: the model neither sees nor hears. */
  load?(directory: string, options: LoadOptions): Promise<OmniModel>;
  /** Left out: it does not embed texts. */
  loadEmbedder?(directory: string, options: TextEmbedderOptions): Promise<Embedder & Disposable>;
  /** New models with random weights; left out: there are none. */
  readonly init?: {
    readonly shapes: Readonly<Record<string, FreshShape>>;
    /** What a large one of them is made of, without making it. */
    inspect(shape: string): Promise<Architecture>;
    write(shape: string, directory: string, files: TokenizerFiles, options: FreshOptions): Promise<void>;
  };
}
