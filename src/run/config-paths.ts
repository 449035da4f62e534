// The paths that a schema knows, read from its JSON Schema form: which setting a dotted path names, and every path there is.

/** The parts of a JSON Schema that matter here. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode | boolean;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly allOf?: readonly SchemaNode[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly required?: readonly string[];
  /** The paper's symbol (settings.ts). */
  readonly symbol?: string;
}

export type ConfigPath = readonly string[];

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

/** Whether a value is the very text that is given for it. */
export function isText(node: SchemaNode): boolean {
  const parts = alternatives(node);
  if (parts.length > 0) return parts.every((part) => part.type === "null" || isText(part));
  const types = [node.type].flat();
  return types.includes("string") && types.every((type) => type === "string" || type === "null");
}

/** Whether nothing (null) is a value. */
export function isNullable(node: SchemaNode): boolean {
  return [node.type].flat().includes("null") || alternatives(node).some(isNullable);
}

function alternatives(node: SchemaNode): readonly SchemaNode[] {
  return [...(node.anyOf ?? []), ...(node.oneOf ?? []), ...(node.allOf ?? [])];
}

/** An object of any keys, as `z.record` makes it; one with named properties takes no others. */
function isRecord(node: SchemaNode): boolean {
  return node.properties === undefined && node.additionalProperties !== undefined;
}
