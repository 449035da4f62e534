// `oppo presets`: every preset as its differences from the default configuration.
import { configDifferences, resolveConfig } from "../../run/config.ts";
import { trainSchema } from "../../train/config.ts";
import { calibratedDeltas, type PresetName, presets } from "../../train/presets.ts";
import { sftSchema } from "../../train/sft-config.ts";
import { type SftPresetName, sftPresets } from "../../train/sft-presets.ts";

/** Example: `{ path: "perception.maskRatio", value: 0.7, standard: "mixed" }` */
export interface PresetDifference {
  readonly path: string;
  readonly value: unknown;
  /** What it is without the preset. */
  readonly standard: unknown;
}

export interface ListedPreset {
  readonly name: PresetName;
  readonly title: string;
  readonly differences: readonly PresetDifference[];
  /** Its threshold of similarity, and the embedder that this was calibrated for. */
  readonly delta: { readonly value: number; readonly embedder: string };
}

/** Of `oppo sft`. */
export interface ListedSftPreset extends Pick<ListedPreset, "title" | "differences"> {
  readonly name: SftPresetName;
}

export function listSftPresets(): ListedSftPreset[] {
  const standard = resolveConfig(sftSchema, {});
  return (Object.keys(sftPresets) as SftPresetName[]).map((name) => {
    const { title, config } = sftPresets[name];
    return { name, title, differences: differencesOf(standard, resolveConfig(sftSchema, { preset: config })) };
  });
}

export function listPresets(): ListedPreset[] {
  const standard = resolveConfig(trainSchema, {});
  return (Object.keys(presets) as PresetName[]).map((name) => {
    const config = resolveConfig(trainSchema, { preset: presets[name].config });
    const differences = differencesOf(standard, config);
    const delta = { value: config.reward.similarityThreshold, embedder: calibratedDeltas[0]!.embedder };
    return { name, title: presets[name].title, differences, delta };
  });
}

/** The delta of all presets and the embedder that it was calibrated for. */
export function presetDelta(): string {
  const { similarityThreshold } = resolveConfig(trainSchema, {}).reward;
  const { embedder, delta, range } = calibratedDeltas[0]!;
  return `delta of all: ${similarityThreshold} (reward.similarityThreshold), calibrated for ${embedder}, the theatre's: ${delta}, good from ${range[0]} to ${range[1]}; for another embedder: oppo embed calibrate`;
}

function differencesOf(standard: unknown, config: unknown): PresetDifference[] {
  return configDifferences(standard, config).map((path) => ({
    path,
    value: valueAt(config, path),
    standard: valueAt(standard, path),
  }));
}

function valueAt(config: unknown, path: string): unknown {
  return path.split(".").reduce((value, key) => (value as Record<string, unknown>)[key], config);
}
