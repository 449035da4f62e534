// A run's configuration: one zod schema in, one typed and frozen object out. Values come from a preset, then a YAML or
// JSON file, then `--set path=value`, each over the one before. What the schema does not know or accept is a ConfigError
// that names the place (line of the file, or the override), the nearest valid path, and what was expected. Schemas hold
// no transforms: a resolved configuration is written as YAML and must read back as itself.

import { readFileSync } from "node:fs";
import { stringify } from "yaml";
import { z } from "zod";
import { OppoError } from "../error.ts";
import { type ConfigPath, knownPaths, nearest, type SchemaNode, schemaAt } from "./config-paths.ts";
import { type ConfigText, parseConfigText, parseOverride } from "./config-text.ts";

/** A setting that is unknown or has the wrong value. */
export class ConfigError extends OppoError {
  /** The dotted path of the setting, empty for the whole. */
  readonly path: string;

  constructor(path: string, message: string, options?: { cause?: unknown }) {
    super("ERR_CONFIG", message, options);
    this.path = path;
  }
}

export type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

export interface ConfigSources {
  /** Values that the schema's defaults give way to; a preset. */
  readonly preset?: object;
  /** A YAML or JSON file. */
  readonly file?: string | undefined;
  /** `path=value`; the value is YAML, so `[1, 2]`, `true` and `null` mean what they say. */
  readonly overrides?: readonly string[];
}

type Values = Record<string, unknown>;

/**
 * The configuration that the sources give under the schema, defaults filled in, frozen.
 * @throws ConfigError
 */
export function resolveConfig<S extends z.ZodType>(schema: S, sources: ConfigSources): DeepReadonly<z.output<S>> {
  const root = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) as SchemaNode;
  const text = sources.file === undefined ? null : readConfigFile(sources.file);
  let values: Values = merge({}, (sources.preset ?? {}) as Values);
  rejectUnknown(root, values, (path) => `preset: ${path}`);
  if (text !== null) {
    rejectUnknown(root, text.values, (path) => text.where(path.split(".")));
    values = merge(values, text.values);
  }
  const overridden = new Map<string, string>();
  for (const override of sources.overrides ?? []) {
    const { path, value } = readOverride(root, override);
    values = setAt(values, path, value);
    overridden.set(path.join("."), `--set ${override}`);
  }
  const parsed = schema.safeParse(values, { reportInput: true });
  if (parsed.success) return deepFreeze(parsed.data) as DeepReadonly<z.output<S>>;
  throw configError(parsed.error.issues[0] as z.core.$ZodIssue, values, (path) => {
    const dotted = path.join(".");
    for (const [key, origin] of overridden) {
      if (dotted === key || dotted.startsWith(`${key}.`) || key.startsWith(`${dotted}.`)) return origin;
    }
    return text?.has(path) ? text.where(path) : dotted;
  });
}

/** The configuration as a YAML file that `--config` takes; the comment goes on top. */
export function configToYaml(config: unknown, comment: string): string {
  const head = comment
    .split("\n")
    .map((line) => `# ${line}\n`)
    .join("");
  return head + stringify(config);
}

/** The dotted paths at which two configurations differ, for a run that is resumed. */
export function configDifferences(before: unknown, after: unknown, prefix = ""): string[] {
  if (!isPlainObject(before) || !isPlainObject(after)) {
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [prefix];
  }
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return keys.flatMap((key) => configDifferences(before[key], after[key], prefix === "" ? key : `${prefix}.${key}`));
}

/** Reads a YAML or JSON file of settings. @throws ConfigError */
export function readConfigFile(file: string): ConfigText {
  let source: string;
  try {
    source = readFileSync(file, "utf8");
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new ConfigError("", `${file}: expected a readable configuration file, got ${reason}. Check the path.`, {
      cause,
    });
  }
  const parsed = parseConfigText(file, source);
  if ("problem" in parsed) throw new ConfigError("", parsed.problem);
  return parsed;
}

function readOverride(root: SchemaNode, override: string): { path: ConfigPath; value: unknown } {
  const equals = override.indexOf("=");
  if (equals <= 0) {
    throw new ConfigError("", `--set ${override}: expected path=value. Example: --set seed=7`);
  }
  const path = override.slice(0, equals).trim().split(".");
  const node = schemaAt(root, path);
  if (node === null) throw unknownPath(root, path.join("."), `--set ${override}`);
  const parsed = parseOverride(override.slice(equals + 1), node);
  if ("problem" in parsed) throw new ConfigError(path.join("."), `--set ${override}: ${parsed.problem}`);
  return { path, value: parsed.value };
}

function rejectUnknown(root: SchemaNode, values: Values, where: (path: string) => string): void {
  const visit = (value: unknown, path: ConfigPath): void => {
    if (path.length > 0 && schemaAt(root, path) === null) {
      throw unknownPath(root, path.join("."), where(path.join(".")));
    }
    // The keys of a list are its indices, as text.
    if (typeof value === "object" && value !== null) {
      for (const [key, inner] of Object.entries(value)) visit(inner, [...path, key]);
    }
  };
  visit(values, []);
}

function unknownPath(root: SchemaNode, path: string, where: string): ConfigError {
  const known = knownPaths(root);
  const close = nearest(path, known);
  const advice = close === null ? `Known are ${known.slice(0, 8).join(", ")}.` : `Did you mean "${close}"?`;
  return new ConfigError(path, `${where}: expected a known setting, got "${path}". ${advice}`);
}

function configError(issue: z.core.$ZodIssue, values: Values, where: (path: ConfigPath) => string): ConfigError {
  const path = issue.path.map(String);
  const got = path.reduce<unknown>(
    (value, key) => (isPlainObject(value) || Array.isArray(value) ? value[key as never] : undefined),
    values,
  );
  const dotted = path.join(".");
  const at = where(path);
  const place = at.endsWith(dotted) || dotted === "" ? at : `${at}: ${dotted}`;
  if (issue.code === "custom") return new ConfigError(dotted, `${place}: ${issue.message}`);
  return new ConfigError(dotted, `${place}: expected ${expectation(issue)}, got ${describe(got)}.`);
}

function expectation(issue: z.core.$ZodIssue): string {
  if (issue.code === "invalid_type") return issue.expected === "int" ? "an integer" : issue.expected;
  if (issue.code === "invalid_value") return `one of ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
  // Zod's own wording reads "Too small: expected number to be >=1".
  return issue.message.replace(/^.*?expected /, "").replace(/^Invalid input$/, "a value of the right form");
}

function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? String(value);
  const type = Array.isArray(value) ? "array" : value === null ? "null" : typeof value;
  return type === "null" ? "null" : `${text.length > 60 ? `${text.slice(0, 57)}...` : text} (${type})`;
}

function merge(base: Values, over: Values): Values {
  const merged: Values = { ...base };
  for (const key of Object.keys(over)) {
    const [before, after] = [base[key], over[key]];
    const value = isPlainObject(after) ? merge(isPlainObject(before) ? before : {}, after) : after;
    Object.defineProperty(merged, key, { value, enumerable: true, writable: true, configurable: true });
  }
  return merged;
}

function setAt(values: Values, [key, ...rest]: ConfigPath, value: unknown): Values {
  const before = values[key as string];
  if (rest.length === 0) return { ...values, [key as string]: value };
  if (Array.isArray(before)) {
    const items = { ...before } as unknown as Values;
    return { ...values, [key as string]: Object.values(setAt(items, rest, value)) };
  }
  return { ...values, [key as string]: setAt(isPlainObject(before) ? before : {}, rest, value) };
}

function isPlainObject(value: unknown): value is Values {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
