// MME-Emotion without a judge: which labels of the task's set an answer names, in the very words of the set. A model that says
// "happy" where the set has "happiness" is out of vocabulary and wrong, and is counted as that.
import { lenientAnswer } from "../../text/answer.ts";

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/**
 * The labels that an answer names, each once, in the order of the set. The longest label wins where several begin ("very strong
 * negative" names no "negative"), and a label inside a longer word is none.
 */
export function namedLabels(response: string, labelSet: readonly string[]): string[] {
  const byLength = [...labelSet].sort((a, b) => b.length - a.length);
  if (byLength.length === 0) return [];
  const words = byLength.map((label) => escaped(label.trim()).replaceAll(/\s+/g, "\\s+")).join("|");
  const pattern = new RegExp(`(?<![\\p{L}\\p{N}])(?:${words})(?![\\p{L}\\p{N}])`, "giu");
  const plain = (text: string) => text.trim().toLowerCase().replaceAll(/\s+/g, " ");
  const found = new Set([...lenientAnswer(response).matchAll(pattern)].map(([text]) => plain(text)));
  return labelSet.filter((label) => found.has(plain(label)));
}

export interface LabelScore {
  /** The formula of the judge's last step: of the clip's labels, the share that is named; over-listing is not punished. */
  readonly recall: number;
  /** Of one label: 1 where it alone is named. Of several: 2 hits / (named + given). */
  readonly f1: number;
  readonly numNamed: number;
}

/** @param labels what is right, at least one */
export function labelScore(named: readonly string[], labels: readonly string[]): LabelScore {
  const hits = labels.filter((label) => named.includes(label)).length;
  const f1 =
    labels.length === 1 ? Number(hits === 1 && named.length === 1) : (2 * hits) / (named.length + labels.length);
  // Of one label, naming several of the set is no prediction: else naming them all would be right.
  const recall = labels.length === 1 ? f1 : hits / labels.length;
  return { recall, f1, numNamed: named.length };
}
