// Settings that several programs have, each said once: files and folders, counts, how a server of a model is reached, what
// compares sentences, which lexicon, on what device. A recipe's schema is made of these and of its own.
import { z } from "zod";
import { parseFieldMap, sampleKeys } from "../data/row-fields.ts";
import type { IdleRule } from "../run/idle-settings.ts";

export const count = z.int().min(1);
export const wholeNumber = z.int().min(0);

/** A path that must be given. */
export const filePath = (description: string) => z.string().min(1).meta({ description, value: "file" });
export const folderPath = (description: string) => z.string().min(1).meta({ description, value: "folder" });
/** One that may be left out. @param standard what happens then */
export const optionalFile = (description: string, standard?: string) =>
  filePath(description)
    .nullable()
    .default(null)
    .meta(standing(description, "file", standard));
export const optionalFolder = (description: string, standard?: string) =>
  folderPath(description)
    .nullable()
    .default(null)
    .meta(standing(description, "folder", standard));
export const optionalText = (description: string, standard?: string, value = "text") =>
  z
    .string()
    .nullable()
    .default(null)
    .meta(standing(description, value, standard));
export const optionalCount = (description: string, standard?: string) =>
  count
    .nullable()
    .default(null)
    .meta(standing(description, "count", standard));

function standing(description: string, value: string, standard: string | undefined) {
  return { description, value, ...(standard === undefined ? {} : { standard }) };
}

export const seedSetting = (description: string, standard = 0) =>
  wholeNumber.default(standard).meta({ description, value: "number" });

export const defaultKeyVariable = "OPENAI_API_KEY";
export const keyVariable = (description: string) =>
  z.string().min(1).default(defaultKeyVariable).meta({ description, value: "variable" });

/** Further fields of a request: an object. */
export const requestFields = (description: string) =>
  z.record(z.string(), z.unknown()).nullable().default(null).meta({ description, value: "json" });

const addressForm = /^https?:\/\/[^#\s]+(#\S+)?$/i;
const addressText =
  "URL#MODEL (URL alone where the server has one model), such as http://localhost:8000/v1#Qwen/Qwen2.5-7B-Instruct.";

/**
 * A model behind an OpenAI-compatible server: `URL#MODEL`, or `URL` where it serves one model.
 * @param other a word that may stand instead
 */
export const endpointSetting = (description: string, other?: string) =>
  z
    .string()
    .refine((text) => text === other || addressForm.test(text), {
      // What was written is not repeated: it may hold a password.
      message: `expected ${other === undefined ? "" : `${other}, or `}${addressText}`,
    })
    .nullable()
    .default(null)
    .meta({ description, value: "url#model" });

/** How servers are asked, whatever for. The flags have no prefix: --timeout. */
export const clientSettings = z
  .strictObject({
    keyEnv: keyVariable("the environment variable with the key"),
    cache: optionalFolder("where its replies are kept", "below OPPO_HOME or ~/.oppo"),
    concurrency: count.default(8).describe("requests at once"),
    maxRequests: optionalCount("budget: stop before more requests than this", "no limit"),
    maxTokens: optionalCount("budget: stop when prompts and replies had this many tokens", "no limit"),
    timeout: z.number().positive().max(300).default(120).meta({ description: "for one request", value: "seconds" }),
  })
  .prefault({})
  .meta({ isPlain: true, group: "Asking a server:" });

export type ClientSettings = Readonly<z.output<typeof clientSettings>>;

/** What idle rules of an embedder look at. */
interface WithEmbedder {
  readonly embedder: string;
  /** Another server that is asked. */
  readonly judge?: string | null;
}

const kindOf = ({ embedder }: WithEmbedder): string => embedder.split(":")[0]!;

const hasJudge = ({ judge }: WithEmbedder): boolean => (judge ?? null) !== null;

/** A server's settings without a server; a folder for vectors that are not worth keeping. */
export const idleWithEmbedder: readonly IdleRule<WithEmbedder>[] = [
  {
    paths: ["keyEnv", "concurrency", "maxRequests", "maxTokens", "timeout"].map((name) => `client.${name}`),
    when: (config) => kindOf(config) !== "endpoint" && !hasJudge(config),
    why: "no server is asked (--embedder endpoint:URL#MODEL would ask one)",
  },
  {
    paths: ["client.cache"],
    when: (config) => !["endpoint", "qwen3"].includes(kindOf(config)) && !hasJudge(config),
    why: "only vectors of qwen3: and endpoint: are kept",
  },
];

/** A place for an embedder that has none. */
export const idleEmbedderPlace: IdleRule<WithEmbedder> = {
  paths: ["embedderDevice", "embedderProcess"],
  when: (config) => kindOf(config) !== "qwen3",
  why: "only qwen3: runs here; the others are a server's, or take no time",
};

/** An instruction before clauses that an embedder does not read. */
export const idleInstruction: IdleRule<WithEmbedder> = {
  paths: ["clauseInstruction"],
  when: (config) => !["endpoint", "qwen3"].includes(kindOf(config)),
  why: "only qwen3: and endpoint: are told one",
};

export const embedderSetting = (standard: string) =>
  z
    .string()
    .default(standard)
    .meta({
      description:
        "what compares sentences with cues: auto, theatre, cues (fitted on the corpus' own), builtin:BANK.json (a list of " +
        "{ name, kind, phrases }), qwen3:DIR or endpoint:URL#MODEL",
      value: "choice",
    });

/** Of qwen3: alone; where it runs, so that it is not in the way of the step. */
export const embedderPlace = {
  embedderDevice: optionalText("where the embedder of qwen3: runs: cpu, cuda:1", "cpu", "name"),
  embedderProcess: z
    .boolean()
    .default(false)
    .describe(
      "the embedder of qwen3: runs in a process of its own, on a core or device of its own; its vectors are the same",
    ),
} as const;

export const clauseInstruction = z
  .string()
  .default("auto")
  .describe('before every clause, for qwen3: and endpoint:; "" for none, auto: what Qwen3-Embedding is told');

export const accuracySetting = z
  .string()
  .min(1)
  .default("auto")
  .meta({
    description:
      "what R_acc compares answers by: auto (emotionGroups, else the corpus' own wheel, else the five wheels of the imported lexicon " +
      "or the built-in one), exact (the very words), groups, built-in, an imported lexicon or a file of one",
    symbol: "R_acc",
    source: "Eq. 27",
    value: "choice",
  });

/** Which key of a file's rows holds what (`parseFieldMap`). */
export const fieldsSetting = z
  .string()
  .refine(isFieldMap, `expected FIELD=KEY,... with one of ${Object.keys(sampleKeys).join(", ")}`)
  .nullable()
  .default(null)
  .meta({
    description: "which key of a row holds what: id=name,media=video_path",
    standard: "the usual keys",
    value: "field=key,...",
  });

/** What the setting says, as readers of rows take it. */
export const fieldMapOf = (fields: string | null) => parseFieldMap(fields);

function isFieldMap(text: string): boolean {
  try {
    parseFieldMap(text);
    return true;
  } catch {
    return false;
  }
}

/** delta, wherever sentences and cues are compared for the reward. */
export const deltaSetting = z.number().min(-1).lt(1).default(0.5).meta({
  description: "cosine from which a clause speaks of a cue; of the hit score and of evidence tokens",
  symbol: "delta",
  paper: "0.5",
  source: "Eq. 3, 9",
});
export const defaultDelta = deltaSetting.parse(undefined);

export const lexiconSetting = optionalText(
  "built-in, affectgpt, mer2026 or a file",
  "affectgpt where it was imported, else built-in",
  "choice",
);

export const deviceSetting = z
  .string()
  .min(1)
  .default("cpu")
  .meta({ description: "cpu, cuda or cuda:1", value: "name" });
export const videoTimeSetting = z.enum(["fixed", "sampled"]).nullable().default(null).meta({
  description:
    "time between frame pairs in a prompt: fixed at 1 s, as transformers has it, or as the frames were sampled (clips under two seconds, capped numbers of frames)",
  standard: "as the model learned, else fixed",
  value: "time",
});
export const dtypeSetting = (description: string, standard: string) =>
  z.enum(["float32", "bfloat16"]).nullable().default(null).meta({ description, standard, value: "type" });
