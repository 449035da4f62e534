// Text embedders of the Qwen family: a text's vector is the final hidden state of the <|endoftext|> that ends it, cut to the
// wanted dimension and scaled to length 1; queries carry an instruction in front, documents stand alone. Where files of
// sentence-transformers lie beside the model, their pooling, prompts and lengths count, and the tokenizer decides what ends
// a text.
// B texts of a batch, D model width, E embedding dimension
import { createHash } from "node:crypto";
import { OppoError } from "../../error.ts";
import type { Embedder } from "../../evidence/cue.ts";
import { queryText } from "../../evidence/instructed-embedder.ts";
import { CheckpointError, inference, op, scope, type Tensor } from "../../tensor/index.ts";
import { loadTokenizer, type TextTokenizer } from "../../text/tokenizer.ts";
import type { TextEmbedderOptions } from "../architecture.ts";
import { requireModelDirectory } from "../checkpoint/model-directory.ts";
import { owning } from "../checkpoint/weight-files.ts";
import { readTextCheckpoint } from "./checkpoint.ts";
import { readSentenceSettings, type SentenceSettings } from "./sentence-settings.ts";
import { TextModel } from "./text-model.ts";

const END_TOKEN = "<|endoftext|>";
const DEFAULT_MAX_TOKENS = 8192;
/** Padded tokens of one batch: enough to fill the matrix products, bounded in memory. */
const TOKENS_PER_BATCH = 4096;

export class TextEmbedder implements Embedder, Disposable {
  readonly name: string;
  readonly dimension: number;
  readonly #model: TextModel;
  readonly #tokenizer: TextTokenizer;
  /** What ends every text. */
  readonly #tail: readonly number[];
  readonly #instruction: string | null;
  readonly #maxTokens: number;
  readonly #settings: SentenceSettings | null;

  /**
   * Owns the model from now on.
   * @param settings of sentence-transformers; null: as Qwen3-Embedding was trained
   */
  constructor(
    model: TextModel,
    tokenizer: TextTokenizer,
    options: TextEmbedderOptions = {},
    settings: SentenceSettings | null = null,
  ) {
    const width = model.config.text.hiddenSize;
    this.#model = model;
    this.#tokenizer = tokenizer;
    this.#tail = settings === null ? [tokenizer.idOf(END_TOKEN)] : tokenizer.tail;
    this.#settings = settings;
    this.#instruction = options.instruction ?? null;
    const { maxPositions } = model.config;
    const wanted = options.maxTokens ?? DEFAULT_MAX_TOKENS;
    this.#maxTokens = Math.min(wanted, settings?.maxTokens ?? maxPositions, maxPositions);
    this.dimension = options.dimension ?? settings?.dimension ?? width;
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
    return this.embedQueries(texts, instruction);
  }

  /** As queries of this instruction. @throws OppoError ERR_EMBEDDER where the model's query prompt has no place for one */
  embedQueries(texts: readonly string[], instruction: string): Float32Array {
    const prompt = this.#settings?.queryPrompt ?? null;
    const [before, after] = prompt?.split("{}") ?? [];
    if (prompt !== null && after === undefined) {
      throw new OppoError(
        "ERR_EMBEDDER",
        `${this.name}: expected a model whose queries carry an instruction, got one with the query prompt ${JSON.stringify(prompt)}. ` +
          "Use it without an instruction.",
      );
    }
    const asked = (text: string) =>
      prompt === null ? queryText(instruction, text) : `${before}${instruction}${after}${text}`;
    return this.#embedAll(texts.map(asked));
  }

  /** The same without an instruction. */
  embedDocuments(texts: readonly string[]): Float32Array {
    const prompt = this.#settings?.documentPrompt ?? "";
    return this.#embedAll(prompt === "" ? texts : texts.map((text) => prompt + text));
  }

  #embedAll(texts: readonly string[]): Float32Array {
    const out = new Float32Array(texts.length * this.dimension);
    const rows = texts.map((text, row) => ({ ids: this.encode(text), row }));
    rows.sort((a, b) => b.ids.length - a.ids.length);
    for (let start = 0; start < rows.length; ) {
      const count = Math.max(1, Math.floor(TOKENS_PER_BATCH / rows[start]!.ids.length));
      const batch = rows.slice(start, start + count);
      const vectors = this.#vectors(batch.map(({ ids }) => ids));
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

  /** Token ids of a text as they are embedded: cut, and ended by <|endoftext|> or what the tokenizer ends texts with. */
  encode(text: string): Int32Array {
    const tail = this.#tail;
    const ids = this.#tokenizer.encode(this.#tokenizer.escape(text));
    const isEnded = tail.length > 0 && tail.every((id, i) => ids.at(i - tail.length) === id);
    const body = isEnded ? ids.subarray(0, -tail.length) : ids;
    const cut = body.subarray(0, Math.max(0, this.#maxTokens - tail.length));
    const all = Int32Array.of(...cut, ...tail);
    // A text of no token at all has no state that could be its vector.
    return all.length > 0 ? all : Int32Array.of(this.#model.stopIds[0]!);
  }

  [Symbol.dispose](): void {
    this.#model[Symbol.dispose]();
  }

  /** [B, E] */
  #vectors(texts: readonly Int32Array[]): Float32Array {
    return inference(() =>
      scope(() => {
        const lengths = texts.map(({ length }) => length);
        const states = pooledStates(this.#model.hiddenStates(texts), lengths, this.#settings?.pooling ?? "lasttoken");
        const pooled = states.narrow(1, 0, this.dimension).to("float32");
        return pooled.div(pooled.norm(2, [1], { keepdim: true }).clampMin(MIN_NORM)).toFloat32Array();
      }),
    );
  }

  /** Tells apart weights, their type and instructions: the name is stamped into caches. */
  #fingerprint(): string {
    const norm = this.#model.parameters().get("model.norm.weight")!;
    const values = scope(() => norm.to("float32").toFloat32Array());
    const hash = createHash("sha256").update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    const { isCausal } = this.#model.config;
    if (this.#settings !== null || !isCausal) {
      hash.update(`\0${JSON.stringify([this.#settings, this.#tail, isCausal])}`);
    }
    return hash
      .update(`\0${this.#instruction ?? ""}\0${this.#maxTokens}\0${norm.dtype}`)
      .digest("hex")
      .slice(0, 8);
  }
}

/** [B, T, D], left-padded texts of these lengths -> [B, D] */
function pooledStates(states: Tensor, lengths: readonly number[], pooling: SentenceSettings["pooling"]): Tensor {
  const width = states.size(1);
  if (pooling === "lasttoken") return states.select(1, width - 1);
  const rows = lengths.map((length, row) => {
    const own = states
      .select(0, row)
      .narrow(0, width - length, length)
      .to("float32");
    if (pooling === "cls") return own.select(0, 0);
    return pooling === "max" ? own.amax({ dim: [0] }) : own.mean([0]);
  });
  return op.stack(rows, { dim: 0 });
}

/** As torch.nn.functional.normalize. */
const MIN_NORM = 1e-12;

/** @throws CheckpointError, OppoError tokenizer/file, ERR_EMBEDDER */
export function loadTextEmbedder(directory: string, options: TextEmbedderOptions = {}): TextEmbedder {
  requireModelDirectory(directory);
  const tokenizer = loadTokenizer(directory);
  const settings = readSentenceSettings(directory);
  const checkpoint = readTextCheckpoint(directory, "none", options);
  return owning(checkpoint.parameters, () => new TextEmbedder(new TextModel(checkpoint), tokenizer, options, settings));
}
