// A run's configuration: one zod schema in, one typed and frozen object out. Values come from a preset, then a YAML or
// JSON file, then `--set path=value`, each over the one before. What the schema does not know or accept is a ConfigError
// that names the place (line of the file, or the override), the nearest valid path, and what was expected. Schemas hold
// no transforms: a resolved configuration is written as YAML and must read back as itself.

import { readFileSync } from "node:fs";
import { stringify } from "yaml";
import type { z } from "zod";
import { ConfigError } from "./config-error.ts";
import { type ConfigPath, type SchemaNode, schemaAt } from "./config-paths.ts";
import { type ConfigText, parseConfigText, parseOverride } from "./config-text.ts";
import { type IdleRule, rejectIdle } from "./idle-settings.ts";
import { didYouMean, nearestSettings } from "./nearest-setting.ts";
import { schemaTree } from "./settings.ts";

export { ConfigError } from "./config-error.ts";

export type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** What a schema's settings come to. */
export type SettingsOf<S extends z.ZodType> = DeepReadonly<z.output<S>>;

export interface ConfigSources {
  /** Values that the schema's defaults give way to; a preset. */
  readonly preset?: object | undefined;
  /** A YAML or JSON file. */
  readonly file?: string | undefined;
  /** `path=value`; the value is YAML, so `[1, 2]`, `true` and `null` mean what they say. */
  readonly overrides?: readonly string[] | undefined;
  /** What options of the command line say. */
  readonly flags?: readonly GivenFlag[] | undefined;
}

/** An option for a setting, as it was typed. */
export interface GivenFlag {
  readonly path: string;
  /** "--perception-mask-ratio" */
  readonly flag: string;
  /** Of all its uses; of a list each adds to it, else the last one counts. */
  readonly texts: readonly string[];
}

type Values = Record<string, unknown>;

/**
 * The configuration that the sources give under the schema, defaults filled in, frozen.
 * @param idle settings without effect under others: an error where a person gave one. In a file only what is not the default
 *   or the preset's counts, for a run's config.yaml has every setting.
 * @throws ConfigError
 */
export function resolveConfig<S extends z.ZodType>(
  schema: S,
  sources: ConfigSources,
  idle: readonly IdleRule<SettingsOf<S>>[] = [],
): SettingsOf<S> {
  const root = schemaTree(schema);
  const text = sources.file === undefined ? null : readConfigFile(sources.file);
  const preset = merge({}, (sources.preset ?? {}) as Values);
  rejectUnknown(root, preset, (path) => `preset: ${path}`);
  let values = preset;
  if (text !== null) {
    rejectUnknown(root, text.values, (path) => text.where(path.split(".")));
    values = merge(values, text.values);
  }
  const typed = new Map<string, Typed>();
  for (const entry of typedEntries(root, sources)) {
    values = setAt(values, entry.path, entry.value);
    typed.set(entry.path.join("."), entry);
  }
  const parsed = schema.safeParse(values, { reportInput: true });
  if (!parsed.success) throw configError(parsed.error.issues[0] as z.core.$ZodIssue, values, typed, text);
  const config = deepFreeze(parsed.data) as SettingsOf<S>;
  rejectIdle(config, givenSettings(root, preset, text, typed), idle);
  return config;
}

/** A value of the command line. */
interface Typed {
  readonly path: ConfigPath;
  readonly value: unknown;
  readonly origin: string;
  readonly isFlag: boolean;
}

function* typedEntries(root: SchemaNode, { overrides = [], flags = [] }: ConfigSources): Generator<Typed> {
  for (const override of overrides) yield readOverride(root, override);
  for (const { path, flag, texts } of flags) {
    const keys = path.split(".");
    const node = schemaAt(root, keys) as SchemaNode;
    const values = texts.map((text) => {
      const parsed = parseOverride(text, node);
      if ("problem" in parsed) throw new ConfigError(path, `${flag} ${text}: ${parsed.problem}`, { isUsage: true });
      return parsed.value;
    });
    const value = node.type === "array" ? values.flat() : values.at(-1);
    const shown = texts.at(-1) === "true" && typeof value === "boolean" ? "" : ` ${texts.join(" ")}`;
    yield { path: keys, value, origin: `${flag}${shown}`, isFlag: true };
  }
}

/** What a person gave, and where. */
function givenSettings(
  root: SchemaNode,
  preset: Values,
  text: ConfigText | null,
  typed: ReadonlyMap<string, Typed>,
): Map<string, string> {
  const given = new Map<string, string>();
  const visit = (value: unknown, path: ConfigPath): void => {
    if (isPlainObject(value)) for (const key of Object.keys(value)) visit(value[key], [...path, key]);
    else if (JSON.stringify(value) !== JSON.stringify(valueAt(preset, path) ?? schemaAt(root, path)?.default)) {
      given.set(path.join("."), text?.where(path) ?? "");
    }
  };
  visit(text?.values ?? {}, []);
  for (const [path, { origin }] of typed) given.set(path, origin);
  return given;
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

function readOverride(root: SchemaNode, override: string): Typed {
  const equals = override.indexOf("=");
  if (equals <= 0) {
    throw new ConfigError("", `--set ${override}: expected path=value. Example: --set seed=7`);
  }
  const path = override.slice(0, equals).trim().split(".");
  const node = schemaAt(root, path);
  if (node === null) throw unknownPath(root, path.join("."), `--set ${override}`);
  const parsed = parseOverride(override.slice(equals + 1), node);
  if ("problem" in parsed) throw new ConfigError(path.join("."), `--set ${override}: ${parsed.problem}`);
  return { path, value: parsed.value, origin: `--set ${override}`, isFlag: false };
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
  const advice = didYouMean(nearestSettings(root, path)) ?? "--settings lists what there is.";
  return new ConfigError(path, `${where}: expected a known setting, got "${path}". ${advice}`);
}

function configError(
  issue: z.core.$ZodIssue,
  values: Values,
  typed: ReadonlyMap<string, Typed>,
  text: ConfigText | null,
): ConfigError {
  const path = issue.path.map(String);
  const dotted = path.join(".");
  const got = valueAt(values, path);
  const source = [...typed].find(
    ([key]) => dotted === key || dotted.startsWith(`${key}.`) || key.startsWith(`${dotted}.`),
  )?.[1];
  const at = source?.origin ?? (text?.has(path) ? text.where(path) : dotted);
  const isUsage = source?.isFlag ?? false;
  // A flag is the setting's name already.
  const place = isUsage || at.endsWith(dotted) || dotted === "" ? at : `${at}: ${dotted}`;
  const options = { isUsage, isMissing: got === undefined };
  if (issue.code === "custom") return new ConfigError(dotted, `${place}: ${issue.message}`, options);
  return new ConfigError(dotted, `${place}: expected ${expectation(issue)}, got ${describe(got)}.`, options);
}

function valueAt(values: unknown, path: ConfigPath): unknown {
  return path.reduce<unknown>(
    (value, key) => (isPlainObject(value) || Array.isArray(value) ? value[key as never] : undefined),
    values,
  );
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
