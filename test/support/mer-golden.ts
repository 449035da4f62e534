// Reads the golden files of the official scorers, where they are beside the repository.
import { readFileSync } from "node:fs";
import type { EmotionLexicon } from "../../src/emotion/wheel.ts";
import { publishedLexicon } from "./lexicon.ts";
import { sharedPath } from "./shared.ts";

export const goldenTolerance = 1e-9;

export const lexiconNames = ["affectgpt", "mer2026"] as const;
export type LexiconName = (typeof lexiconNames)[number];

export interface MerGolden<T> {
  readonly golden: T;
  readonly lexicons: Readonly<Record<LexiconName, EmotionLexicon>>;
}

/** Null where goldens or lexicon are absent. @param name such as "ew_sets" */
export function merGolden<T>(name: string): MerGolden<T> | null {
  const file = sharedPath(`golden/mer/${name}_public.json`);
  const affectgpt = publishedLexicon("affectgpt");
  const mer2026 = publishedLexicon("mer2026");
  if (file === null || affectgpt === null || mer2026 === null) return null;
  return { golden: JSON.parse(readFileSync(file, "utf8")) as T, lexicons: { affectgpt, mer2026 } };
}

export const goldenAbsent = "golden/mer or lexicon is not beside the repository";

/** Undefined upstream is null in the files and NaN here. */
export function agrees(actual: number, expected: number | null): boolean {
  return expected === null ? Number.isNaN(actual) : Math.abs(actual - expected) < goldenTolerance;
}
