// The text forms of a configuration: a YAML or JSON file with the line of every key, and the value of one `--set`.

import { isMap, isPair, isSeq, LineCounter, type Node, type Pair, parseDocument } from "yaml";
import { type ConfigPath, isNullable, isText, type SchemaNode } from "./config-paths.ts";

export interface ConfigText {
  readonly values: Record<string, unknown>;
  /** Whether the file itself sets this path. */
  has(path: ConfigPath): boolean;
  /** `run.yaml:12`: the line of the deepest key on the path that the file has. */
  where(path: ConfigPath): string;
}

/** Reads the text of a settings file. JSON is read as YAML too: the same lines, the same messages. */
export function parseConfigText(file: string, source: string): ConfigText | { readonly problem: string } {
  const lines = new LineCounter();
  // JSON may be indented by tabs, which YAML forbids; inside JSON strings there are none.
  const text = file.endsWith(".json") ? source.replaceAll("\t", " ") : source;
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const error = document.errors[0];
  if (error !== undefined) {
    const line = lines.linePos(error.pos[0]).line;
    return { problem: `${file}:${line}: expected YAML or JSON, got a syntax error (${error.message}).` };
  }
  const values: unknown = document.toJS() ?? {};
  if (typeof values !== "object" || Array.isArray(values)) {
    return {
      problem: `${file}: expected settings (path: value), got ${Array.isArray(values) ? "a list" : typeof values}.`,
    };
  }
  const offsetOf = (path: ConfigPath): { offset: number; depth: number } => deepestKey(document.contents, path);
  return {
    values: values as Record<string, unknown>,
    has: (path) => path.length > 0 && offsetOf(path).depth === path.length,
    where: (path) => `${file}:${lines.linePos(offsetOf(path).offset).line}`,
  };
}

function deepestKey(contents: unknown, path: ConfigPath): { offset: number; depth: number } {
  let node = contents;
  let offset = 0;
  let depth = 0;
  for (const key of path) {
    const inner: unknown = isMap(node)
      ? node.items.find((pair: Pair) => String((pair.key as { value?: unknown } | null)?.value) === key)
      : isSeq(node)
        ? node.items[Number(key)]
        : undefined;
    if (inner === undefined) break;
    const range = ((isPair(inner) ? inner.key : inner) as Node).range;
    offset = range?.[0] ?? offset;
    node = isPair(inner) ? inner.value : inner;
    depth++;
  }
  return { offset, depth };
}

/** The value that a text stands for, as `--set path=text` or after a flag, for the setting `node`. */
export function parseOverride(
  text: string,
  node: SchemaNode,
): { readonly value: unknown } | { readonly problem: string } {
  if (isText(node)) return { value: text === "null" && isNullable(node) ? null : text };
  // `arms=baseline,oppo` is what people type for a list.
  const isTextList = node.type === "array" && typeof node.items === "object" && isText(node.items);
  if (isTextList && !text.startsWith("["))
    return { value: text === "" ? [] : text.split(",").map((part) => part.trim()) };
  const document = parseDocument(text, { prettyErrors: false });
  const error = document.errors[0];
  if (error !== undefined) return { problem: `expected a YAML value, got a syntax error (${error.message}).` };
  const value: unknown = document.toJS();
  if (node.type === "array" && typeof value === "string") return { value: value.split(",").map((item) => item.trim()) };
  return { value };
}
