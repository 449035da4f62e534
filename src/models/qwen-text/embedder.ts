// Qwen3-Embedding as an Embedder: a text's vector is the final hidden state of the <|endoftext|> that ends it, cut to the
// wanted dimension and scaled to length 1. Queries carry an instruction in front, documents stand alone.
// B texts of a batch, D model width, E embedding dimension
import { createHash } from "node:crypto";
import { OppoError } from "../../error.ts";
import type { Embedder } from "../../evidence/cue.ts";
import { queryText } from "../../evidence/instructed-embedder.ts";
import { CheckpointError, inference, scope } from "../../tensor/index.ts";
import { loadTokenizer, type TextTokenizer } from "../../text/tokenizer.ts";
import type { TextEmbedderOptions } from "../architecture.ts";
import { requireModelDirectory } from "../checkpoint/model-directory.ts";
import { loadTextModel, type TextModel } from "./text-model.ts";

/** The task of the model card's examples. */
export const SEARCH_INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query";

const END_TOKEN = "<|endoftext|>";
const DEFAULT_MAX_TOKENS = 8192;
/** Padded tokens of one batch: enough to fill the matrix products, bounded in memory. */
const TOKENS_PER_BATCH = 4096;

export class TextEmbedder implements Embedder, Disposable {
  readonly name: string;
  readonly dimension: number;
  readonly #model: TextModel;
  readonly #tokenizer: TextTokenizer;
  readonly #endId: number;
  readonly #instruction: string | null;
  readonly #maxTokens: number;

  /** Owns the model from now on. */
  constructor(model: TextModel, tokenizer: TextTokenizer, options: TextEmbedderOptions = {}) {
    const width = model.config.text.hiddenSize;
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#endId = tokenizer.idOf(END_TOKEN);
    this.#instruction = options.instruction ?? null;
    this.#maxTokens = Math.min(options.maxTokens ?? DEFAULT_MAX_TOKENS, model.config.maxPositions);
    this.dimension = options.dimension ?? width;
    if (!(Number.isInteger(this.dimension) && this.dimension >= 1 && this.dimension <= width)) {
      throw new OppoError(
        "ERR_EMBEDDER",
        `dimension: expected 1 to ${width}, got ${this.dimension}. Choose one that the model has.`,
      );
    }
    this.name = `${model.config.family}-embedding-${this.dimension}-${this.#fingerprint()}`;
  }

  /** Row-major [texts.length, dimension], as queries when there is an instruction. */
  embed(texts: readonly string[]): Float32Array {
    const instruction = this.#instruction;
    if (instruction === null) return this.embedDocuments(texts);
    return this.embedDocuments(texts.map((text) => queryText(instruction, text)));
  }

  /** The same without an instruction. */
  embedDocuments(texts: readonly string[]): Float32Array {
    const out = new Float32Array(texts.length * this.dimension);
    const rows = texts.map((text, row) => ({ ids: this.encode(text), row }));
    rows.sort((a, b) => b.ids.length - a.ids.length);
    for (let start = 0; start < rows.length; ) {
      const count = Math.max(1, Math.floor(TOKENS_PER_BATCH / rows[start]!.ids.length));
      const batch = rows.slice(start, start + count);
      const vectors = this.#lastStates(batch.map(({ ids }) => ids));
      if (!vectors.every(Number.isFinite)) {
        throw new CheckpointError(
          "ERR_CHECKPOINT_VALUES",
          this.name,
          "expected finite vectors, got NaN or infinity. The checkpoint is damaged; fetch it again.",
        );
      }
      batch.forEach(({ row }, i) => {
        out.set(vectors.subarray(i * this.dimension, (i + 1) * this.dimension), row * this.dimension);
      });
      start += count;
    }
    return out;
  }

  /** Token ids of a text as they are embedded: cut, and ended by <|endoftext|>. */
  encode(text: string): Int32Array {
    const ids = this.#tokenizer.encode(this.#tokenizer.escape(text));
    const body = ids.at(-1) === this.#endId ? ids.subarray(0, -1) : ids;
    return Int32Array.of(...body.subarray(0, this.#maxTokens - 1), this.#endId);
  }

  [Symbol.dispose](): void {
    this.#model[Symbol.dispose]();
  }

  /** [B, E] */
  #lastStates(texts: readonly Int32Array[]): Float32Array {
    return inference(() =>
      scope(() => {
        const states = this.#model.hiddenStates(texts);
        // Left-padded: every text ends in the last column.
        const pooled = states
          .select(1, states.size(1) - 1)
          .narrow(1, 0, this.dimension)
          .to("float32");
        return pooled.div(pooled.norm(2, [1], { keepdim: true }).clampMin(MIN_NORM)).toFloat32Array();
      }),
    );
  }

  /** Tells apart weights, their type and instructions: the name is stamped into caches. */
  #fingerprint(): string {
    const norm = this.#model.parameters().get("model.norm.weight")!;
    const values = scope(() => norm.to("float32").toFloat32Array());
    const hash = createHash("sha256").update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    return hash
      .update(`\0${this.#instruction ?? ""}\0${this.#maxTokens}\0${norm.dtype}`)
      .digest("hex")
      .slice(0, 8);
  }
}

/** As torch.nn.functional.normalize. */
const MIN_NORM = 1e-12;

/** @throws CheckpointError, OppoError tokenizer/file, ERR_EMBEDDER */
export function loadTextEmbedder(directory: string, options: TextEmbedderOptions = {}): TextEmbedder {
  requireModelDirectory(directory);
  const tokenizer = loadTokenizer(directory);
  const model = loadTextModel(directory, options);
  try {
    return new TextEmbedder(model, tokenizer, options);
  } catch (error) {
    model[Symbol.dispose]();
    throw error;
  }
}
