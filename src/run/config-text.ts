// The text forms of a configuration: a YAML or JSON file with the line of every key, and the value of one `--set`.

import { type Document, isMap, isPair, isSeq, LineCounter, type Node, type Pair, parseDocument } from "yaml";
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
  const read = readYaml(text, lines);
  if ("problem" in read) {
    const place = read.offset === null ? file : `${file}:${lines.linePos(read.offset).line}`;
    return { problem: `${place}: expected YAML or JSON, got ${read.problem}.` };
  }
  const { document } = read;
  const values = read.value ?? {};
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

type Yaml =
  | { readonly document: Document; readonly value: unknown }
  | { readonly problem: string; readonly offset: number | null };

/** Far above any settings; the parser takes a hundred bytes of memory for each of the text's. */
const maxTextLength = 1_000_000;

/** A text as plain data, as JSON could hold it: what the parser, or whoever walks the value after it, gives up on is a problem. */
function readYaml(text: string, lineCounter: LineCounter): Yaml {
  if (text.length > maxTextLength) return { problem: `a text of ${text.length} characters`, offset: null };
  try {
    const document = parseDocument(text, { lineCounter, prettyErrors: false });
    const error = document.errors[0];
    if (error !== undefined) return { problem: `a syntax error (${error.message})`, offset: error.pos[0] };
    const value: unknown = document.toJS();
    // An alias may lead to what it stands in, and brackets may lie deeper than anything can walk.
    JSON.stringify(value);
    return { document, value };
  } catch (cause) {
    if (cause instanceof RangeError) return { problem: "brackets in brackets without end", offset: null };
    if (cause instanceof TypeError) return { problem: "a value that holds itself", offset: null };
    return { problem: (cause as Error).message.replace(/\.$/, ""), offset: null };
  }
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
  const read = readYaml(text, new LineCounter());
  if ("problem" in read) return { problem: `expected a YAML value, got ${read.problem}.` };
  const { value } = read;
  if (node.type === "array" && typeof value === "string") return { value: value.split(",").map((item) => item.trim()) };
  return { value };
}
