// From a wheel's rows (inner, middle and outer ring) to the two maps that scores use. The rules are those of the official
// loaders: a word that stands in several places belongs to the last one, in row order; an inner word stands, on the middle
// ring, for the alphabetically first word below it.
import type { EmotionWheel } from "./wheel.ts";

export type WheelRow = readonly [inner: string, middle: string, outer: string];

export function wheelFromRows(name: string, rows: readonly WheelRow[]): EmotionWheel {
  const level1 = new Map<string, string>();
  const level2 = new Map<string, string>();
  const middlesOf = new Map<string, string[]>();
  for (const [inner, middle] of rows) {
    middlesOf.set(inner, [...(middlesOf.get(inner) ?? []), middle]);
  }
  for (const [inner, middles] of middlesOf) level2.set(inner, [...middles].sort()[0]!);
  for (const [inner, middle, outer] of rows) {
    for (const word of [inner, middle, outer]) level1.set(word, inner);
    for (const word of [middle, outer]) level2.set(word, middle);
  }
  return { name, levels: { level1, level2 } };
}
