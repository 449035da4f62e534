// The systems of a command line: a path, or name=path. Reports tell systems apart by name, so every name is there once.
import { resolve } from "node:path";
import { OppoError } from "../../error.ts";

export interface NamedSystem {
  readonly name: string;
  readonly path: string;
}

/** @throws OppoError ERR_SCORE_SYSTEMS when two systems have one name, or one path */
export function namedSystems(texts: readonly string[]): NamedSystem[] {
  const split = texts.map(splitName);
  const short = split.map(({ name, path }) => name ?? lastPart(path));
  const systems = split.map(({ name, path }, i): NamedSystem => {
    const isShared = name === null && short.filter((other) => other === short[i]).length > 1;
    return { name: isShared ? path.replace(/\/+$/, "") : short[i]!, path };
  });
  for (const [i, { name, path }] of systems.entries()) {
    const earlier = systems.slice(0, i).find((other) => other.name === name || resolve(other.path) === resolve(path));
    if (earlier === undefined) continue;
    const what = earlier.name === name ? `"${name}" for ${earlier.path} and ${path}` : `${path} twice`;
    throw new OppoError(
      "ERR_SCORE_SYSTEMS",
      `predictions: expected every system once and under a name of its own, got ${what}. Write name=path with different names.`,
    );
  }
  return systems;
}

function splitName(text: string): { readonly name: string | null; readonly path: string } {
  const at = text.indexOf("=");
  if (at > 0 && !text.slice(0, at).includes("/")) return { name: text.slice(0, at), path: text.slice(at + 1) };
  return { name: null, path: text };
}

/** The name of a bare path is its last part without the extension. */
function lastPart(path: string): string {
  const last = path.replace(/\/+$/, "").split("/").at(-1)!;
  return last.replace(/\.\w+$/, "") || path;
}
