// Keeps the vectors of cues on disk: a corpus' cues are the same in every step, run and arm, and embedding them with a
// language model costs minutes. Clauses are new in every step and are not kept.
import { createHash } from "node:crypto";
import type { Embedder, TextRole } from "./cue.ts";

/** What is kept by key (64 hexadecimal digits); a reply cache is one. */
export interface VectorMemory {
  get(key: string): unknown;
  put(key: string, value: unknown): void;
}

/** A vector that was computed elsewhere may be a little off length 1. */
const lengthTolerance = 1e-3;

/** The same embedder with its cue vectors in front of it. A damaged entry is computed again. */
export function storeCues(embedder: Embedder, memory: VectorMemory): Embedder {
  const { name, dimension, isAsymmetric = false, isApart = false } = embedder;
  return {
    name,
    dimension,
    isAsymmetric,
    isApart,
    async embed(texts, role: TextRole = "cue") {
      if (role !== "cue") return embedder.embed(texts, role);
      const out = new Float32Array(texts.length * dimension);
      const keys = texts.map((text) =>
        createHash("sha256")
          .update(JSON.stringify([name, text]))
          .digest("hex"),
      );
      const missing: number[] = [];
      for (const [row, key] of keys.entries()) {
        const vector = decodeVector(memory.get(key), dimension);
        if (vector === null) missing.push(row);
        else out.set(vector, row * dimension);
      }
      if (missing.length === 0) return out;
      const vectors = await embedder.embed(
        missing.map((row) => texts[row]!),
        role,
      );
      for (const [index, row] of missing.entries()) {
        const vector = vectors.slice(index * dimension, (index + 1) * dimension);
        out.set(vector, row * dimension);
        memory.put(keys[row]!, Buffer.from(vector.buffer).toString("base64"));
      }
      return out;
    },
  };
}

/** null for anything but a unit or zero vector of that length. */
function decodeVector(kept: unknown, dimension: number): Float32Array | null {
  if (typeof kept !== "string") return null;
  const bytes = Uint8Array.from(Buffer.from(kept, "base64"));
  if (bytes.length !== dimension * Float32Array.BYTES_PER_ELEMENT) return null;
  const vector = new Float32Array(bytes.buffer);
  const length = Math.hypot(...vector);
  return length === 0 || Math.abs(length - 1) < lengthTolerance ? vector : null;
}
