// A sentence embedder that tests can compute by hand: one axis per known word, unknown words say nothing.
import type { Embedder } from "../../src/evidence/cue.ts";

/** Example: with words ["loud", "voice"], "a loud voice" is (1, 1) / sqrt(2) and "loud" is (1, 0): cosine 0.7071. */
export function wordEmbedder(words: readonly string[]): Embedder {
  const axis = new Map(words.map((word, i) => [word, i]));
  const embed = (texts: readonly string[]): Float32Array => {
    const rows = new Float32Array(texts.length * words.length);
    for (const [row, text] of texts.entries()) {
      const known = new Set((text.toLowerCase().match(/\p{L}+/gu) ?? []).filter((word) => axis.has(word)));
      for (const word of known) rows[row * words.length + axis.get(word)!] = 1 / Math.sqrt(known.size);
    }
    return rows;
  };
  return { name: "words", dimension: words.length, embed };
}
