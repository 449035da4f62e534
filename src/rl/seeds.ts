// Seeds derived from what a random draw is for, never from when or where it happens: the same (seed, step, sample,
// rollout) gives the same number on one process or on sixteen, before and after a resume.

const fnvPrime = 0x01000193;
const fnvOffset = 0x811c9dc5;

/** 32-bit FNV-1a over the parts, then murmur3's finaliser, since FNV alone leaves neighbouring keys close together. */
export function deriveSeed(...parts: readonly (string | number)[]): number {
  let hash = fnvOffset;
  for (const part of parts) {
    const text = `${typeof part === "number" ? "n" : "s"}${part}\u0000`;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), fnvPrime);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** A number in [0, 1) that depends on the parts alone. */
export function deriveUniform(...parts: readonly (string | number)[]): number {
  return deriveSeed(...parts) / 2 ** 32;
}
