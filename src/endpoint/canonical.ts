// The key under which a reply is kept: a hash of everything that it depends on, and of nothing else. The address is no
// part of it: the same model elsewhere gives the same answer, and a server may move.
import { createHash } from "node:crypto";

/** 64 hexadecimal digits. Fields in any order and fields that are undefined make no difference. */
export function contentHash(content: unknown): string {
  return createHash("sha256").update(canonicalJson(content)).digest("hex");
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (part === null || typeof part !== "object" || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1)));
  });
}
