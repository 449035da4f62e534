// Instruction-tuned embedders (Qwen3-Embedding) tell queries from documents: a query carries an instruction in front, a
// document stands alone. Here a clause asks "which cue is this?", so clauses are queries and cues are documents, as the
// OPPO authors' working repository has it.
import { createHash } from "node:crypto";
import type { Embedder } from "./cue.ts";

/** What a clause asks for, where nobody says otherwise. */
export const CLAUSE_INSTRUCTION =
  "Given a clause of a reasoning about a person's emotion, retrieve the annotated observation that it states";

/** A query as Qwen3-Embedding was trained on them: no space after the colon. */
export function queryText(instruction: string, text: string): string {
  return `Instruct: ${instruction}\nQuery:${text}`;
}

/** The embedder with the instruction before every clause and nothing before a cue. */
export function instructClauses(embedder: Embedder, instruction: string): Embedder {
  return {
    name: `${embedder.name}-q${createHash("sha256").update(instruction).digest("hex").slice(0, 6)}`,
    dimension: embedder.dimension,
    isAsymmetric: true,
    embed(texts, role = "cue") {
      if (role !== "clause") return embedder.embed(texts, role);
      if (embedder.embedQueries) return embedder.embedQueries(texts, instruction);
      return embedder.embed(
        texts.map((text) => queryText(instruction, text)),
        role,
      );
    },
  };
}
