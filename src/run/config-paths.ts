// The paths that a schema knows, read from its JSON Schema form: which setting a dotted path names, every path there is,
// and the one nearest to a path that does not exist.

import { editDistance } from "../edit-distance.ts";

/** The parts of a JSON Schema that matter here. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode | boolean;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly allOf?: readonly SchemaNode[];
}

export type ConfigPath = readonly string[];

/** How different a path may be from the one suggested for it: this share of its length. */
const NEAREST_SHARE = 0.5;

/** The node that a path names, or null when the schema knows no such setting. */
export function schemaAt(node: SchemaNode, [key, ...rest]: ConfigPath): SchemaNode | null {
  if (key === undefined) return node;
  for (const alternative of alternatives(node)) {
    const found = schemaAt(alternative, [key, ...rest]);
    if (found !== null) return found;
  }
  if (node.properties !== undefined && Object.hasOwn(node.properties, key)) {
    return schemaAt(node.properties[key] as SchemaNode, rest);
  }
  const inner =
    /^\d+$/.test(key) && node.items !== undefined ? node.items : isRecord(node) ? node.additionalProperties : undefined;
  if (inner === undefined || inner === false || key === "__proto__") return null;
  return inner === true ? {} : schemaAt(inner, rest);
}

/** Every path of the schema, parents before children. */
export function knownPaths(node: SchemaNode, prefix = ""): string[] {
  const own = Object.entries(node.properties ?? {}).flatMap(([key, inner]) => {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    return [path, ...knownPaths(inner, path)];
  });
  const paths = [...own, ...alternatives(node).flatMap((alternative) => knownPaths(alternative, prefix))];
  return [...new Set(paths)];
}

/** The known path with the fewest edits from `path`, whole or by its last part; null when none is close. */
export function nearest(path: string, known: readonly string[]): string | null {
  const last = path.slice(path.lastIndexOf(".") + 1);
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    // A setting that is right but stands at the wrong level is as near as one with a single wrong letter.
    const sameName = candidate.slice(candidate.lastIndexOf(".") + 1) === last ? 1 : Number.POSITIVE_INFINITY;
    const distance = Math.min(sameName, editDistance(path, candidate));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return bestDistance <= Math.max(1, path.length * NEAREST_SHARE) ? best : null;
}

function alternatives(node: SchemaNode): readonly SchemaNode[] {
  return [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])];
}

/** An object of any keys, as `z.record` makes it; one with named properties takes no others. */
function isRecord(node: SchemaNode): boolean {
  return node.properties === undefined && node.additionalProperties !== undefined;
}
