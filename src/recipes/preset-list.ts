// `oppo presets`: every preset as its differences from the default configuration.
import { configDifferences, resolveConfig } from "../run/config.ts";
import { type PresetName, presets } from "./presets.ts";
import { trainSchema } from "./train-config.ts";

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
}

export function listPresets(): ListedPreset[] {
  const standard = resolveConfig(trainSchema, {});
  return (Object.keys(presets) as PresetName[]).map((name) => {
    const config = resolveConfig(trainSchema, { preset: presets[name].config });
    const differences = configDifferences(standard, config).map((path) => ({
      path,
      value: valueAt(config, path),
      standard: valueAt(standard, path),
    }));
    return { name, title: presets[name].title, differences };
  });
}

function valueAt(config: unknown, path: string): unknown {
  return path.split(".").reduce((value, key) => (value as Record<string, unknown>)[key], config);
}
