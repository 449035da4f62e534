// What `oppo train` can be told: the settings of the method, and where model and data are. One flat object, so that the
// config.yaml of a run repeats the run.
import { z } from "zod";
import { OppoError } from "../../error.ts";
import { type DeepReadonly, readConfigFile, resolveConfig } from "../../run/config.ts";
import { trainSchema } from "../../train/config.ts";
import { type PresetName, presets } from "../../train/presets.ts";

const presetNames = Object.keys(presets) as [PresetName, ...PresetName[]];

const given = (what: string, option: string) =>
  z
    .string()
    .default("")
    .refine((text) => text !== "", `expected ${what}, got none. Give ${option}.`);

export const corpusFields = {
  embedder: z
    .string()
    .default("auto")
    .describe(
      "what compares clauses with cues: auto, theatre, cues (the corpus' own), builtin:BANK.json, qwen3:DIR or endpoint:URL#MODEL",
    ),
  clauseInstruction: z
    .string()
    .default("auto")
    .describe('before every clause, for qwen3: and endpoint:; "" for none, auto: what Qwen3-Embedding is told'),
  calibration: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe("what oppo embed calibrate --out wrote for the embedder; delta is compared with it"),
  question: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe("what is asked about a clip; null: the corpus' default"),
  accuracy: z
    .string()
    .min(1)
    .default("auto")
    .describe(
      "R_acc (Eq. 27): auto (emotionGroups, else the corpus' own wheel, else the five wheels of the imported lexicon or the built-in one), exact (the very words), groups, built-in, an imported lexicon or a file of one",
    ),
  emotionGroups: z
    .record(z.string(), z.array(z.string()).min(1))
    .nullable()
    .default(null)
    .describe("group -> words that count as the same answer; null: as accuracy says"),
  maxSkippedRows: z.int().min(0).default(10).describe("bad rows to leave out before the run stops"),
  maxSkippedFraction: z.number().min(0).max(1).default(0.1).describe("share of unreadable clips to leave out"),
};

export const runSchema = z.strictObject({
  preset: z.enum(presetNames).default("oppo").describe("the method; everything below is a change to it"),
  model: given("the folder of the model to start from", "--model DIR"),
  data: given("a file of samples", "--data SAMPLES.jsonl"),
  ...corpusFields,
  ...trainSchema.shape,
});

export type RunConfig = DeepReadonly<z.infer<typeof runSchema>>;

export interface RunSources {
  readonly preset?: string | undefined;
  readonly file?: string | undefined;
  readonly overrides: readonly string[];
}

/** The preset by option or file, then the file, then the overrides. @throws ConfigError, OppoError ERR_PRESET */
export function resolveRunConfig({ preset, file, overrides }: RunSources): RunConfig {
  const inFile = file === undefined ? undefined : readConfigFile(file).values.preset;
  const name = preset ?? (typeof inFile === "string" ? inFile : "oppo");
  if (!Object.hasOwn(presets, name)) {
    throw new OppoError(
      "ERR_PRESET",
      `preset: expected one of ${presetNames.join(", ")}, got "${name}". "oppo presets" shows what each of them is.`,
    );
  }
  if (preset !== undefined && inFile !== undefined && inFile !== preset) {
    throw new OppoError(
      "ERR_PRESET",
      `--preset ${preset}: expected the preset of ${file}, which is ${String(inFile)}. Leave one of the two out.`,
    );
  }
  return resolveConfig(runSchema, {
    preset: { preset: name, ...presets[name as PresetName].config },
    file,
    overrides,
  });
}
