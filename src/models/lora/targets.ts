// Which linear layers of a model an adapter's configuration means, and each one's rank and alpha: PEFT's rules
// (tuners_utils.check_target_module_exists, other.get_pattern_key). Adapters of whole models name the thinker's modules
// with `thinker.` in front, adapters of a thinker without: either form of a module's name counts.
import { CheckpointError } from "../../tensor/error.ts";
import type { LoraConfig } from "./config.ts";
import { compilePattern, type FullMatch } from "./pattern.ts";

const maxListed = 4;
const maxShown = 200;

export type TargetRules = Pick<LoraConfig, "targets" | "excluded" | "layers" | "layerPatterns">;

/** The modules of `names` that a configuration means, in their order. @throws CheckpointError ERR_ADAPTER_TARGETS */
export function targetModules(rules: TargetRules, names: readonly string[], path: string): string[] {
  return refusingPatterns(path, () => {
    const isMeant = included(rules);
    const isExcluded = rules.excluded === undefined ? () => false : named(rules.excluded);
    const chosen = names.filter((name) => {
      const forms = formsOf(name);
      return forms.some(isMeant) && !forms.some(isExcluded);
    });
    if (chosen.length > 0) return chosen;
    throw new CheckpointError(
      "ERR_ADAPTER_TARGETS",
      path,
      `expected target modules among the model's linear layers (such as ${names.slice(0, maxListed).join(", ")}), ` +
        `got ${shown(rules.targets)}, which matches none. Choose others.`,
    );
  });
}

export type RankOf = (name: string) => { readonly rank: number; readonly alpha: number };

/** Rank and alpha of a module. @throws CheckpointError ERR_ADAPTER_TARGETS */
export function moduleRanks(config: LoraConfig, path: string): RankOf {
  return refusingPatterns(path, () => {
    const rankOf = patternValue(config.rankPattern ?? {}, config.rank);
    const alphaOf = patternValue(config.alphaPattern ?? {}, config.alpha);
    return (name) => refusingPatterns(path, () => ({ rank: rankOf(name), alpha: alphaOf(name) }));
  });
}

function formsOf(name: string): readonly string[] {
  return [name, `thinker.${name}`];
}

function shown(targets: LoraConfig["targets"]): string {
  const text = JSON.stringify(targets);
  return text.length > maxShown ? `${text.slice(0, maxShown)}...` : text;
}

function included({ targets, layers, layerPatterns }: TargetRules): (name: string) => boolean {
  if (targets === "all-linear") return () => true;
  const isNamed = named(targets);
  if (layers === undefined || typeof targets === "string") return isNamed;
  const exact = new Set(targets);
  const isLayer = ofLayers(layers, layerPatterns ?? []);
  return (name) => exact.has(name) || (isNamed(name) && isLayer(name));
}

/** A list means names and endings after a dot, a text is a pattern for whole names. */
function named(targets: LoraConfig["targets"]): (name: string) => boolean {
  if (typeof targets === "string") return compilePattern(targets);
  const all = new Set(targets);
  return (name) => {
    if (all.has(name)) return true;
    for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
      if (all.has(name.slice(dot + 1))) return true;
    }
    return false;
  };
}

/** Whether the last number between dots, after a name that one of the patterns means, is one of these layers. */
function ofLayers(layers: readonly number[], patterns: readonly string[]): (name: string) => boolean {
  const lists = patterns.length === 0 ? ["[^.]*"] : patterns;
  const matchers = lists.map((pattern) => compilePattern(`.*\\.(?:${pattern})`));
  const wanted = new Set(layers);
  return (name) => {
    const numbers = [...name.matchAll(/\.(\d+)(?=\.)/g)].reverse();
    for (const isList of matchers) {
      const found = numbers.find(({ index }) => isList(name.slice(0, index)));
      if (found) return wanted.has(Number(found[1]));
    }
    return false;
  };
}

/** The value of the first key that matches a name, or its end after a dot. */
function patternValue(values: Readonly<Record<string, number>>, otherwise: number): (name: string) => number {
  const entries = Object.entries(values).map(([key, value]): [FullMatch, number] => [
    compilePattern(`(?:.*\\.)?(?:${key})`),
    value,
  ]);
  return (name) => entries.find(([matches]) => formsOf(name).some(matches))?.[1] ?? otherwise;
}

function refusingPatterns<T>(path: string, body: () => T): T {
  try {
    return body();
  } catch (cause) {
    if (!(cause instanceof SyntaxError || cause instanceof RangeError)) throw cause;
    const got = `expected patterns as Python's re reads them, got one with ${cause.message}`;
    throw new CheckpointError("ERR_ADAPTER_TARGETS", path, `${got}. Write it in a simpler way, or list the modules.`, {
      cause,
    });
  }
}
