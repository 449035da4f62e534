// Remembers the vector of every text it has seen, so that an embedder runs once per distinct cue or clause.
// Memory is bounded: texts live in a young and an old generation; when the young one is full it becomes the old one.
import type { Embedder, TextRole } from "./cue.ts";

const defaultMaxTexts = 100_000;

/** An Embedder in front of another one, with the same name, dimension and vectors. */
export class EmbedCache implements Embedder {
  readonly name: string;
  readonly dimension: number;
  readonly isAsymmetric: boolean;
  readonly #embedder: Embedder;
  readonly #generationSize: number;
  /** Texts that are being embedded, and when their vectors are kept. */
  readonly #begun = new Map<string, Promise<unknown>>();
  #young = new Map<string, Float32Array>();
  #old = new Map<string, Float32Array>();
  #numEmbedded = 0;

  /** @param maxTexts upper bound of the texts kept (and at least half as many of the most recent ones are). */
  constructor(embedder: Embedder, maxTexts = defaultMaxTexts) {
    this.name = embedder.name;
    this.dimension = embedder.dimension;
    this.isAsymmetric = embedder.isAsymmetric ?? false;
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
  async embed(texts: readonly string[], role: TextRole = "cue"): Promise<Float32Array> {
    const out = new Float32Array(texts.length * this.dimension);
    const rows = await this.embedRows(texts, role);
    for (const [row, vector] of rows.entries()) out.set(vector, row * this.dimension);
    return out;
  }

  /** Begins with unseen texts where the embedder works apart from this thread; elsewhere it would only be in the way. */
  prefetch(texts: readonly string[], role: TextRole): void {
    if (this.#embedder.isApart !== true) return;
    const isUnseen = (text: string) => {
      const key = this.#key(text, role);
      return this.#find(key) === undefined && !this.#begun.has(key);
    };
    const unseen = [...new Set(texts.filter(isUnseen))];
    if (unseen.length === 0) return;
    // Who asks for the texts asks again, and is told what is wrong.
    const begun = this.#embed(unseen, role)
      .catch(() => undefined)
      .finally(() => {
        for (const text of unseen) this.#begun.delete(this.#key(text, role));
      });
    for (const text of unseen) this.#begun.set(this.#key(text, role), begun);
  }

  /** The vectors themselves, as they are kept: not to be written to. */
  async embedRows(texts: readonly string[], role: TextRole = "cue"): Promise<readonly Float32Array[]> {
    const begun = new Set(texts.flatMap((text) => this.#begun.get(this.#key(text, role)) ?? []));
    if (begun.size > 0) await Promise.all(begun);
    const found = texts.map((text) => this.#find(this.#key(text, role)));
    const missing = [...new Set(texts.filter((_, row) => found[row] === undefined))];
    if (missing.length === 0) return found as Float32Array[];
    const fresh = await this.#embed(missing, role);
    return texts.map((text, row) => found[row] ?? fresh.get(text)!);
  }

  /** Distinct unseen texts, which are kept from then on. */
  async #embed(missing: readonly string[], role: TextRole): Promise<ReadonlyMap<string, Float32Array>> {
    const vectors = await this.#embedder.embed(missing, role);
    this.#numEmbedded += missing.length;
    const fresh = new Map(
      missing.map((text, index) => [text, vectors.slice(index * this.dimension, (index + 1) * this.dimension)]),
    );
    for (const [text, vector] of fresh) this.#keep(this.#key(text, role), vector);
    return fresh;
  }

  #key(text: string, role: TextRole): string {
    return this.isAsymmetric ? `${role}\u0000${text}` : text;
  }

  #find(key: string): Float32Array | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.#keep(key, old);
    return old;
  }

  #keep(key: string, vector: Float32Array): void {
    if (this.#young.size >= this.#generationSize) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, vector);
  }
}
