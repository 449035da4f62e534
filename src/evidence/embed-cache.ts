// Remembers the vector of every text it has seen, so that an embedder runs once per distinct cue or clause.
// Memory is bounded: texts live in a young and an old generation; when the young one is full it becomes the old one.
import type { Embedder } from "./cue.ts";

const defaultMaxTexts = 100_000;

/** An Embedder in front of another one, with the same name, dimension and vectors. */
export class EmbedCache implements Embedder {
  readonly name: string;
  readonly dimension: number;
  readonly #embedder: Embedder;
  readonly #generationSize: number;
  #young = new Map<string, Float32Array>();
  #old = new Map<string, Float32Array>();
  #numEmbedded = 0;

  /** @param maxTexts upper bound of the texts kept (and at least half as many of the most recent ones are). */
  constructor(embedder: Embedder, maxTexts = defaultMaxTexts) {
    this.name = embedder.name;
    this.dimension = embedder.dimension;
    this.#embedder = embedder;
    this.#generationSize = Math.max(1, Math.floor(maxTexts / 2));
  }

  /** Texts that had to be embedded so far: the cache's misses. */
  get numEmbedded(): number {
    return this.#numEmbedded;
  }

  /**
   * Row-major [texts.length, dimension]. Distinct unseen texts go to the embedder in one call, in order of appearance.
   * The result is the caller's own copy.
   */
  async embed(texts: readonly string[]): Promise<Float32Array> {
    const out = new Float32Array(texts.length * this.dimension);
    const missing = new Map<string, number[]>();
    texts.forEach((text, row) => {
      const known = this.#find(text);
      if (known !== undefined) out.set(known, row * this.dimension);
      else if (missing.has(text)) missing.get(text)!.push(row);
      else missing.set(text, [row]);
    });
    if (missing.size === 0) return out;
    const vectors = await this.#embedder.embed([...missing.keys()]);
    this.#numEmbedded += missing.size;
    let index = 0;
    for (const [text, rows] of missing) {
      const vector = vectors.slice(index * this.dimension, (index + 1) * this.dimension);
      index++;
      this.#keep(text, vector);
      for (const row of rows) out.set(vector, row * this.dimension);
    }
    return out;
  }

  #find(text: string): Float32Array | undefined {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const old = this.#old.get(text);
    if (old !== undefined) this.#keep(text, old);
    return old;
  }

  #keep(text: string, vector: Float32Array): void {
    if (this.#young.size >= this.#generationSize) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(text, vector);
  }
}
