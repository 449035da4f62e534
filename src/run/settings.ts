// What stands beside a setting in its schema, for people: the paper's symbol, value and place, the word for its value in
// help, its group; and every setting of a schema as a list, from which flags and tables are made.
import { z } from "zod";
import { isText, type SchemaNode } from "./config-paths.ts";

declare module "zod" {
  /** Given by `.meta({ ... })`; `description` is zod's own. */
  interface GlobalMeta {
    /** The paper's symbol: "delta". */
    symbol?: string;
    /** The paper's value: "0.5". */
    paper?: string;
    /** Where it is said: "Eq. 3, 9". */
    source?: string;
    /** The word for its value in help, without brackets: "file". */
    value?: string;
    /** What a default of null (or none) means: "all". */
    standard?: string;
    /** Heading in help; of an object: of all that it holds. */
    group?: string;
    /** Of an object: its settings' flags come without its name (`--timeout`, not `--client-timeout`). */
    isPlain?: boolean;
  }
}

/** The facts that a JSON Schema carries for us, beside its own. */
interface FactNode extends SchemaNode {
  readonly description?: string;
  readonly symbol?: string;
  readonly paper?: string;
  readonly source?: string;
  readonly value?: string;
  readonly standard?: string;
  readonly group?: string;
  readonly isPlain?: boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minItems?: number;
  readonly propertyNames?: unknown;
}

export interface Setting {
  /** Dotted: "perception.maskRatio". */
  readonly path: string;
  /** Without dashes: "perception-mask-ratio". */
  readonly flag: string;
  readonly node: SchemaNode;
  readonly description: string;
  /** undefined where there is none: it must be given, or nothing stands in its place. */
  readonly default: unknown;
  /** In words; "" where nothing is to say. */
  readonly defaultText: string;
  /** "0 to 1", "tagged or free". */
  readonly range: string;
  readonly symbol: string | null;
  readonly paper: string | null;
  readonly source: string | null;
  readonly valueName: string;
  readonly group: string | null;
  readonly isRequired: boolean;
}

/** A schema as what its input may be, with the facts above on every node. */
export function schemaTree(schema: z.ZodType): SchemaNode {
  return z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as SchemaNode;
}

/** Every setting of a schema that a person can give, in its order. */
export function listSettings(schema: z.ZodType): Setting[] {
  return settingsBelow(schemaTree(schema) as FactNode, { path: [], flag: [], group: null });
}

interface Place {
  readonly path: readonly string[];
  readonly flag: readonly string[];
  readonly group: string | null;
}

function settingsBelow(node: FactNode, place: Place): Setting[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, inner]) => {
    const child = inner as FactNode;
    const own: Place = {
      path: [...place.path, key],
      flag: child.isPlain === true ? place.flag : [...place.flag, kebab(key)],
      group: child.group ?? place.group,
    };
    if (child.properties !== undefined) return settingsBelow(child, own);
    return [settingOf(child, own, node.required?.includes(key) === true)];
  });
}

function settingOf(node: FactNode, { path, flag, group }: Place, isRequired: boolean): Setting {
  return {
    path: path.join("."),
    flag: flag.join("-"),
    node,
    description: node.description ?? "",
    default: node.default,
    defaultText: defaultText(node),
    range: rangeText(node),
    symbol: node.symbol ?? null,
    paper: node.paper ?? null,
    source: node.source ?? null,
    valueName: node.value ?? valueName(node),
    group,
    isRequired,
  };
}

function defaultText(node: FactNode): string {
  if (node.standard !== undefined) return node.standard;
  const { default: value } = node;
  if (value === undefined || value === null || value === false || value === "") return "";
  if (Array.isArray(value)) return value.map(String).join(",");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** What a value may be: "0 to 1 or mixed". */
function rangeText(node: SchemaNode): string {
  const fact = node as FactNode;
  if (node.enum !== undefined) return either(node.enum.filter((value) => value !== null).map(String));
  if (node.const !== undefined) return String(node.const);
  const parts = [...(node.anyOf ?? []), ...(node.oneOf ?? [])].map(rangeText).filter((text) => text !== "none");
  if (parts.length > 0) return either(parts);
  const types = ([node.type].flat() as (string | undefined)[]).filter((type) => type !== "null");
  const [type] = types;
  if (type === undefined) return [node.type].flat().includes("null") ? "none" : "any value";
  if (type === "number" || type === "integer") return numberText(fact, type === "integer");
  if (type === "boolean") return "yes or no";
  if (type === "string") return "text";
  if (type === "array") {
    const items = typeof node.items === "object" ? rangeText(node.items) : "values";
    return `list of ${items === "text" ? "texts" : items}`;
  }
  return "names and values";
}

function numberText(node: FactNode, isWhole: boolean): string {
  const isBound = (value: number | undefined) => value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER;
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = node;
  const low = isBound(minimum) ? `${minimum}` : isBound(exclusiveMinimum) ? `above ${exclusiveMinimum}` : null;
  const high = isBound(maximum) ? `${maximum}` : isBound(exclusiveMaximum) ? `below ${exclusiveMaximum}` : null;
  const whole = isWhole ? "whole, " : "";
  if (low === null && high === null) return isWhole ? "a whole number" : "a number";
  if (high === null) return `${whole}${low}${isBound(minimum) ? " or more" : ""}`;
  return low === null ? `${whole}up to ${high}` : `${whole}${low} to ${high}`;
}

function either(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join() : `${parts.slice(0, -1).join(", ")} or ${parts.at(-1)}`;
}

function valueName(node: FactNode): string {
  if (node.enum !== undefined) return "name";
  if (isText(node)) return "text";
  const inner = (node.anyOf ?? []).find((part) => part.type !== "null" && part.const === undefined);
  if (inner !== undefined) return valueName(inner as FactNode);
  const type = [node.type].flat().find((name) => name !== "null");
  if (type === "integer") return "count";
  if (type === "array") return "list";
  return type === "object" ? "json" : type === "number" ? "number" : "value";
}

/** Example: `probesPerClip` to `probes-per-clip`. */
function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
