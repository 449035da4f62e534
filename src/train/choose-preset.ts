// Which preset a person chose, by option, override or file. Its name is looked for before anything else, because everything else is
// a change to it.
import { OppoError } from "../error.ts";
import { type ConfigSources, readConfigFile } from "../run/config.ts";

interface NamedPreset {
  readonly config: object;
  readonly question?: string;
}

/**
 * @param standard the preset of those who name none
 * @returns its values, with its name under `preset`
 * @throws ConfigError, OppoError ERR_PRESET
 */
export function choosePreset(
  presets: Readonly<Record<string, NamedPreset>>,
  standard: string,
  sources: ConfigSources,
): object {
  const { file } = sources;
  const inFile = file === undefined ? undefined : readConfigFile(file).values.preset;
  const given = typedText("preset", sources);
  const name = given ?? (typeof inFile === "string" ? inFile : standard);
  if (!Object.hasOwn(presets, name)) {
    throw new OppoError(
      "ERR_PRESET",
      `preset: expected one of ${Object.keys(presets).join(", ")}, got "${name}". "oppo presets" shows what each of them is.`,
    );
  }
  if (given !== undefined && inFile !== undefined && inFile !== given) {
    throw new OppoError(
      "ERR_PRESET",
      `--preset ${given}: expected the preset of ${file}, which is ${String(inFile)}. Leave one of the two out.`,
    );
  }
  const { config, question } = presets[name]!;
  return { preset: name, ...config, ...(question === undefined ? {} : { question }) };
}

/** What the command line says of a setting: its option, else a `--set` of it. */
export function typedText(path: string, { flags = [], overrides = [] }: ConfigSources): string | undefined {
  const override = overrides.findLast((text) => text.startsWith(`${path}=`))?.slice(path.length + 1);
  return flags.find((flag) => flag.path === path)?.texts.at(-1) ?? override;
}
