// Text models of the Qwen family as rows of the registry: they embed texts, and neither see nor hear.
import type { ArchitectureRow } from "../architecture.ts";

export const qwen2 = textRow("Qwen2 / Qwen2.5 text model");
export const qwen3 = textRow("Qwen3 text model (Qwen3-Embedding)");

function textRow(title: string): ArchitectureRow {
  return {
    title,
    use: "Use it as an embedder: --embedder qwen3:DIRECTORY.",
    inspect: async (json, path) => (await import("./describe.ts")).describe(json, path),
    loadEmbedder: async (directory, options) => (await import("./embedder.ts")).loadTextEmbedder(directory, options),
  };
}
