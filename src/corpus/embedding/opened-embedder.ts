// An embedder that is ready, and how it is reached.
import type { EmbeddingOptions } from "../../endpoint/embedding-client.ts";
import type { Embedder } from "../../evidence/cue.ts";
import type { DType } from "../../tensor/index.ts";

/** What the choice alone does not say. */
export interface EmbedderAccess {
  /** Before every clause; "" for none, "auto" for `CLAUSE_INSTRUCTION` where the model is a Qwen3-Embedding. */
  readonly clauseInstruction: string;
  /** Where vectors are kept between runs; null: nowhere. */
  readonly cacheFolder: string | null;
  /** The cues, or (of a server) every text that was paid for. */
  readonly keeps?: "cues" | "all";
  /** How a server is talked to. */
  readonly client?: Omit<EmbeddingOptions, "url" | "model" | "cacheFolder">;
  /** Longer texts are cut; null: the model's own limit. */
  readonly maxTokens?: number | null;
  /** Leading dimensions to keep; null for all. */
  readonly dimension?: number | null;
  readonly device?: string;
  readonly dtype?: DType;
  /** A checkpoint runs in a process of its own. */
  readonly isApart?: boolean;
}

export interface OpenedEmbedder extends Disposable {
  readonly embedder: Embedder;
  /** Vectors are worth remembering. */
  readonly isSlow: boolean;
  /** Texts to give it between two looks at Ctrl-C: seconds of work, and enough for a batch. */
  readonly textsPerTurn: number;
  /** Lines for the log. */
  readonly notes: readonly string[];
}
