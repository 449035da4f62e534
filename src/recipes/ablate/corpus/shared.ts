// What the commands of all cells of a corpus share: settings of oppo train, oppo mep build and oppo mep run, in one file.
import { z } from "zod";
import { clipSettings } from "../../../corpus/clips/clip-settings.ts";
import { deltaSetting } from "../../../corpus/settings.ts";
import { OppoError } from "../../../error.ts";
import { readConfigFile } from "../../../run/config.ts";
import { trainSchema } from "../../../train/config.ts";
import { observerSettings } from "../../../train/observer/settings.ts";

type Values = Readonly<Record<string, unknown>>;

/** What the grid says itself, by section of the file of `--shared`. */
const taken = {
  /** Of oppo train. */
  train: ["run", "preset", "from", "model", "data", "seed", "evalData", "judge", "dryRun"],
  /** Of oppo mep build. */
  build: ["data", "dataset", "out"],
  /** Of oppo mep run. */
  measure: ["model", "endpoint", "out"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

type Section = keyof typeof taken;

export interface SharedSettings {
  /** Of the method, as `path=value`. */
  readonly training: readonly string[];
  /** The others of oppo train. */
  readonly train: Values;
  /** Both. */
  readonly all: Values;
  readonly build: Values;
  readonly measure: Values;
}

/** @param file null: nothing is shared @throws ConfigError, OppoError ERR_ABLATE_DATA */
export function readShared(file: string | null): SharedSettings {
  if (file === null) return { training: [], train: {}, all: {}, build: {}, measure: {} };
  const { values } = readConfigFile(file);
  const unknown = Object.keys(values).find((name) => !Object.hasOwn(taken, name));
  if (unknown !== undefined) {
    throw wrong(file, `expected the sections ${Object.keys(taken).join(", ")}, got "${unknown}". Rename it.`);
  }
  const all = sectionOf(file, values, "train");
  const isTraining = (name: string) => name in trainSchema.shape;
  const pick = (has: (name: string) => boolean) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => has(name)));
  return {
    training: flat(pick(isTraining)),
    train: pick((name) => !isTraining(name)),
    all,
    build: sectionOf(file, values, "build"),
    measure: sectionOf(file, values, "measure"),
  };
}

/** As it is written: the commands check it. */
function sectionOf(file: string, values: Values, name: Section): Values {
  const section = values[name] ?? {};
  if (typeof section !== "object" || Array.isArray(section)) {
    throw wrong(file, `${name}: expected settings, got ${JSON.stringify(section)}. Write them below it.`);
  }
  const key = taken[name].find((one) => one in section);
  if (key === undefined) return section as Values;
  throw wrong(
    file,
    `${name}.${key}: expected settings that all cells share, got one that the grid says itself. Leave it out.`,
  );
}

function wrong(file: string, what: string): OppoError {
  return new OppoError("ERR_ABLATE_DATA", `${file}: ${what}`);
}

/** Example: { perception: { maskRatio: 1 } } -> ["perception.maskRatio=1"] */
function flat(values: Values, above = ""): string[] {
  return Object.entries(values).flatMap(([name, value]) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? flat(value as Values, `${above}${name}.`)
      : [`${above}${name}=${JSON.stringify(value)}`],
  );
}

/** What measuring under conditions takes of `train`: how clips are read, cues compared and questions put, as training does. */
const readingSchema = z.object({
  clips: clipSettings,
  observer: observerSettings,
  embedder: z.string().default("auto"),
  question: z.string().nullable().default(null),
  accuracy: z.string().default("auto"),
  emotionGroups: z.record(z.string(), z.array(z.string())).nullable().default(null),
  fields: z.string().nullable().default(null),
  maxSkippedRows: z.int().default(10),
  maxSkippedFraction: z.number().default(0.1),
  maxPromptTokens: z.int().nullable().default(null),
  device: z.string().default("cpu"),
  dtype: z.enum(["float32", "bfloat16"]).nullable().default(null),
  reward: z.object({ similarityThreshold: deltaSetting }).prefault({}),
});

/** @param all of oppo train @throws OppoError ERR_ABLATE_DATA for values of another type */
export function readingSettings(all: Values): z.output<typeof readingSchema> {
  const parsed = readingSchema.safeParse(all);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw wrong("--shared", `train.${path.join(".")}: expected what oppo train takes, got another value (${message}).`);
}
