// The files that sentence-transformers puts beside a model: which states make a text's vector, what stands before queries
// and documents, how long a text may be. What is written there and cannot be done here is refused by name.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { CheckpointError } from "../../tensor/error.ts";
import { readJsonFile, readJsonList } from "../../text/json-file.ts";
import { isOff, requireKnownFields, shownValue } from "../checkpoint/config-fields.ts";

export type Pooling = "lasttoken" | "mean" | "max" | "cls";

export interface SentenceSettings {
  readonly pooling: Pooling;
  /** Before every document; "" for nothing. */
  readonly documentPrompt: string;
  /** Before every query, with `{}` where its instruction goes; null: as Qwen3-Embedding was trained. */
  readonly queryPrompt: string | null;
  /** Tokens of a text, null where nothing is said. */
  readonly maxTokens: number | null;
  /** Leading dimensions to keep, null for all. */
  readonly dimension: number | null;
}

const MODULES = "modules.json";
const PROMPTS = "config_sentence_transformers.json";
const LENGTHS = "sentence_bert_config.json";
const CODE = "ERR_CHECKPOINT_CONFIG";

const count = z.number().int().positive();
const moduleSchema = z.array(
  z.looseObject({ type: z.string(), path: z.string().regex(/^[\w-]*$/, "expected the name of a folder") }),
);
const promptsSchema = z.looseObject({
  __version__: z.unknown().optional(),
  model_type: z.literal("SentenceTransformer").nullish(),
  prompts: z.record(z.string(), z.string()).nullish(),
  default_prompt_name: z.string().nullish(),
  similarity_fn_name: z.enum(["cosine", "dot", "dot_score"]).nullish(),
  truncate_dim: count.nullish(),
});
const lengthsSchema = z.looseObject({
  max_seq_length: count.nullish(),
  do_lower_case: z.literal(false).nullish(),
  transformer_task: z.literal("feature-extraction").nullish(),
  modality_config: z.unknown().optional(),
  module_output_name: z.enum(["token_embeddings", "last_hidden_state"]).nullish(),
  model_args: z.unknown().optional(),
  tokenizer_args: z.unknown().optional(),
});
const poolingSchema = z.looseObject({
  word_embedding_dimension: count.nullish(),
  embedding_dimension: count.nullish(),
  pooling_mode: z.union([z.string(), z.array(z.string())]).nullish(),
  include_prompt: z.boolean().nullish(),
});

/** Null where there is no modules.json: the model is then used as its family was trained. @throws CheckpointError ERR_CHECKPOINT_CONFIG */
export function readSentenceSettings(directory: string): SentenceSettings | null {
  if (!existsSync(join(directory, MODULES))) return null;
  const modules = readModules(directory);
  const prompts = readOptional(directory, PROMPTS, promptsSchema);
  const lengths = readOptional(directory, LENGTHS, lengthsSchema);
  const texts = prompts.prompts ?? {};
  const usual = prompts.default_prompt_name ?? null;
  if (usual !== null && !Object.hasOwn(texts, usual)) {
    throw refusal(join(directory, PROMPTS), `default_prompt_name "${usual}" is not among its prompts`);
  }
  if (prompts.similarity_fn_name?.startsWith("dot") && !modules.isNormalised) {
    throw refusal(join(directory, PROMPTS), "similarity_fn_name dot of vectors that are not scaled to one length");
  }
  const document = ["document", "passage", "corpus"].find((name) => Object.hasOwn(texts, name)) ?? usual;
  const query = Object.hasOwn(texts, "query") ? texts.query! : usual === null ? "" : texts[usual]!;
  const documentPrompt = document === null ? "" : texts[document]!;
  if (modules.excludesPrompt && (documentPrompt !== "" || query !== "")) {
    throw refusal(join(directory, modules.poolingFile), "include_prompt false beside prompts");
  }
  return {
    pooling: modules.pooling,
    documentPrompt,
    queryPrompt: query === "" ? null : queryForm(query, join(directory, PROMPTS)),
    maxTokens: lengths.max_seq_length ?? null,
    dimension: prompts.truncate_dim ?? null,
  };
}

/** "Instruct: something\nQuery: " with `{}` in the place of something; a prompt without instruction stays as it is. */
function queryForm(prompt: string, path: string): string {
  if (prompt.includes("{}")) throw refusal(path, `prompts.query ${shownValue(prompt)}`);
  const found = /^(Instruct: ).*(\nQuery: ?)$/s.exec(prompt);
  return found ? `${found[1]}{}${found[2]}` : prompt;
}

interface Modules {
  readonly pooling: Pooling;
  readonly poolingFile: string;
  readonly excludesPrompt: boolean;
  readonly isNormalised: boolean;
}

function readModules(directory: string): Modules {
  const path = join(directory, MODULES);
  const parsed = moduleSchema.safeParse(readJsonList(directory, MODULES, CODE));
  if (!parsed.success) throw refusal(path, issueText(parsed.error.issues));
  const kinds = parsed.data.map(({ type }) => type.split(".").at(-1)!);
  const order = kinds.join(", ");
  if (order !== "Transformer, Pooling" && order !== "Transformer, Pooling, Normalize") {
    throw refusal(path, `the modules ${shownValue(order)} instead of Transformer, Pooling and perhaps Normalize`);
  }
  if (parsed.data[0]!.path !== "") throw refusal(path, `a Transformer in the folder ${parsed.data[0]!.path}`);
  const poolingFile = join(parsed.data[1]!.path, "config.json");
  const raw = checked(directory, poolingFile, poolingSchema, (key) => key.startsWith("pooling_mode_"));
  return {
    pooling: poolingOf(raw, join(directory, poolingFile)),
    poolingFile,
    excludesPrompt: raw.include_prompt === false,
    isNormalised: kinds.length > 2,
  };
}

/** Of vectors that are scaled to length 1 in the end, a mean and a sum over the root of the count are the same. */
const POOLINGS: Readonly<Record<string, Pooling>> = {
  ...{ lasttoken: "lasttoken", mean: "mean", mean_sqrt_len_tokens: "mean", max: "max", cls: "cls" },
  ...{ mean_tokens: "mean", max_tokens: "max", cls_token: "cls" },
};

function poolingOf(raw: z.infer<typeof poolingSchema>, path: string): Pooling {
  const flags = Object.entries(raw).filter(([key, value]) => key.startsWith("pooling_mode_") && !isOff(value));
  const named = raw.pooling_mode ?? flags.map(([key]) => key.slice("pooling_mode_".length));
  const modes = typeof named === "string" ? named.split("+") : named;
  const pooling = modes.length === 1 && Object.hasOwn(POOLINGS, modes[0]!) ? POOLINGS[modes[0]!] : undefined;
  if (pooling !== undefined) return pooling;
  throw refusal(
    path,
    `pooling mode ${shownValue(modes.join("+") || "none")} instead of one of lasttoken, mean, max, cls`,
  );
}

function readOptional<S extends z.ZodObject>(directory: string, name: string, schema: S): Partial<z.infer<S>> {
  return existsSync(join(directory, name)) ? checked(directory, name, schema) : {};
}

function checked<S extends z.ZodObject>(
  directory: string,
  name: string,
  schema: S,
  isKnown: (key: string) => boolean = () => false,
): z.infer<S> {
  const path = join(directory, name);
  const json = readJsonFile(directory, name, CODE);
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw refusal(path, issueText(parsed.error.issues));
  const known = [...Object.keys(schema.shape), ...Object.keys(json).filter(isKnown)];
  requireKnownFields(json, known, path, name);
  return parsed.data;
}

function issueText(issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]): string {
  return issues.map(({ path, message }) => `${path.map(String).join(".")}: ${message}`).join("; ");
}

function refusal(path: string, got: string): CheckpointError {
  const expected = "expected settings of sentence-transformers that can be followed here";
  return new CheckpointError(CODE, path, `${expected}, got ${got}. Use another embedder, or embed on a server.`);
}
