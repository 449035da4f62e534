// Where every random number starts: one seed of a run or a corpus, and a key that says what is drawn. Keys name the thing
// (a purpose, a step, a sample, a rollout), never the process or the order in which things happen to run, so results
// depend on neither: one process or sixteen, before and after a resume.

/**
 * A 32-bit unsigned seed for one purpose, the same on every machine: `deriveSeed(7, "rollout", step, sample.id, index)`.
 * Parts of different type or cut differently are different keys (`1` and `"1"`, `"a", "b"` and `"a/b"`).
 */
export function deriveSeed(seed: number, ...parts: readonly (number | string)[]): number {
  return hash([seed, ...parts].map(spell).join("/"));
}

/** A number in [0, 1) that depends on seed and parts alone. */
export function deriveUniform(seed: number, ...parts: readonly (number | string)[]): number {
  return deriveSeed(seed, ...parts) / 2 ** 32;
}

/** Numbers and plain words stand for themselves; any other text is quoted, so that no key reads like another one. */
function spell(part: number | string): string {
  return typeof part === "number" || /^[A-Za-z][\w.-]*$/.test(part) ? String(part) : JSON.stringify(part);
}

/** 32-bit FNV-1a, then murmur3's finaliser, since FNV alone leaves neighbouring keys close together. */
function hash(text: string): number {
  let mixed = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) mixed = Math.imul(mixed ^ text.charCodeAt(i), 0x01000193);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
