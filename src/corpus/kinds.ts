// The corpora that bring a setting of their own, and which of them samples, a name or a model's chat template speak of.
import type { Sample } from "../data/sample.ts";
import type { CorpusKind } from "./corpus-kind.ts";
import { theatreKind } from "./theatre-kind.ts";

const kinds: readonly CorpusKind[] = [theatreKind];

/** The kind that all samples are of; null for an annotated corpus, whose statistics have to be measured. */
export function kindOf(samples: readonly Sample[]): CorpusKind | null {
  if (samples.length === 0) return null;
  return kinds.find(({ owns }) => samples.every(owns)) ?? null;
}

export function kindNamed(name: string): CorpusKind | null {
  return kinds.find((kind) => kind.name === name) ?? null;
}

/** The kind whose models have this chat template. */
export function kindOfTemplate(template: string): CorpusKind | null {
  return kinds.find(({ chatTemplate }) => chatTemplate === template) ?? null;
}
