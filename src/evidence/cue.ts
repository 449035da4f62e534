// Cues: what an annotator saw, heard and concluded (C_V, C_A, C_E).

export type CueKind = "video" | "audio" | "emotion";

/** Example: `{ kind: "audio", text: "a trembling voice" }` */
export interface Cue {
  readonly kind: CueKind;
  /** A short phrase, 2 to 6 words. */
  readonly text: string;
}

/** What a text is when it is embedded: an annotated cue, or a generated clause that is looked up among cues. */
export type TextRole = "cue" | "clause";

/** Unit-length sentence vectors. Implementations: the built-in one, Qwen3-Embedding, an endpoint. */
export interface Embedder {
  /** Stamped into caches and reports. */
  readonly name: string;
  readonly dimension: number;
  /** True: a clause has another vector than a cue of the same words. Left out: roles make no difference. */
  readonly isAsymmetric?: boolean;
  /**
   * Row-major [texts.length, dimension]; every row has length 1, or is all zero when the text says nothing known.
   * @param role of all of the texts; default "cue"
   */
  embed(texts: readonly string[], role?: TextRole): Float32Array | Promise<Float32Array>;
  /** The same of queries with their instruction, in a form of the model's own; default: as Qwen3-Embedding has them. */
  embedQueries?(texts: readonly string[], instruction: string): Float32Array | Promise<Float32Array>;
  /**
   * Begins with texts that will be asked for, while this thread goes on; left out, it cannot. What goes wrong is told to who asks
   * for them.
   */
  prefetch?(texts: readonly string[], role: TextRole): void;
  /** Whether `embed` runs elsewhere: what is sent is worked on while this thread computes. */
  readonly isApart?: boolean;
  /** The rows of `embed`, one by one, where they lie already and need no copy; not to be written to. */
  embedRows?(texts: readonly string[], role?: TextRole): Promise<readonly Float32Array[]>;
}
