// Reads and writes a thinker as a Hugging Face directory: config.json, safetensors (one file, or shards with an index),
// tokenizer, chat template, preprocessor and generation settings. Keys may start with `thinker.`; the speech parts of a
// full checkpoint (talker, token2wav) are skipped. Every parameter must be there in its shape, and nothing else.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  CheckpointError,
  type DType,
  keep,
  openSafetensors,
  type SafetensorsFile,
  scope,
  type Tensor,
  writeSafetensors,
} from "../../tensor/index.ts";
import { readJsonFile } from "../../text/json-file.ts";
import { parseConfig, type ThinkerConfig } from "./config.ts";
import { HEAD_NAME, parameterSpecs } from "./parameters.ts";

export interface Checkpoint {
  readonly directory: string;
  readonly config: ThinkerConfig;
  readonly parameters: ReadonlyMap<string, Tensor>;
  /** The other files of the directory, by name, as a save writes them back. */
  readonly companions: ReadonlyMap<string, string>;
}

export interface LoadOptions {
  /** Default "cpu". */
  readonly device?: string;
  /** Default: as stored. */
  readonly dtype?: DType;
}

const COMPANIONS = [
  "tokenizer.json",
  "tokenizer_config.json",
  "vocab.json",
  "merges.txt",
  "added_tokens.json",
  "special_tokens_map.json",
  "chat_template.jinja",
  "chat_template.json",
  "preprocessor_config.json",
  "processor_config.json",
  "video_preprocessor_config.json",
  "generation_config.json",
];
const INDEX = "model.safetensors.index.json";
const SINGLE = "model.safetensors";
const PREFIX = "thinker.";
const SKIPPED = ["talker.", "token2wav."];
const MAX_LISTED = 8;

/** Says that there is no model at all before a file of it is looked for. @throws CheckpointError ERR_CHECKPOINT_MISSING */
export function requireCheckpoint(directory: string): void {
  if (existsSync(join(directory, "config.json"))) return;
  throw new CheckpointError(
    "ERR_CHECKPOINT_MISSING",
    directory,
    "expected a model directory with a config.json, got none. Check the path.",
  );
}

/** @throws CheckpointError ERR_CHECKPOINT_ARCHITECTURE, ERR_CHECKPOINT_CONFIG, ERR_CHECKPOINT_KEYS, and the files' own */
export function readCheckpoint(directory: string, options: LoadOptions = {}): Checkpoint {
  requireCheckpoint(directory);
  const configPath = join(directory, "config.json");
  const config = parseConfig(readJsonFile(directory, "config.json", "ERR_CHECKPOINT_CONFIG"), configPath);
  const companions = new Map<string, string>();
  for (const name of COMPANIONS) {
    const path = join(directory, name);
    if (existsSync(path)) companions.set(name, readFileSync(path, "utf8"));
  }
  return { directory, config, parameters: readParameters(directory, config, options), companions };
}

function readParameters(directory: string, config: ThinkerConfig, options: LoadOptions): Map<string, Tensor> {
  const files = new Map<string, SafetensorsFile>();
  try {
    const sources = findKeys(directory, files);
    checkKeys(directory, config, sources);
    const parameters = new Map<string, Tensor>();
    for (const { name } of parameterSpecs(config)) {
      const source = sources.get(name);
      if (!source) continue; // lm_head, tied
      const { device, dtype } = options;
      const convert = { ...(device ? { device } : {}), ...(dtype ? { dtype } : {}) };
      parameters.set(
        name,
        scope(() => keep(source.file.tensor(source.key).to(convert))),
      );
    }
    return parameters;
  } finally {
    for (const file of files.values()) file[Symbol.dispose]();
  }
}

interface KeySource {
  readonly file: SafetensorsFile;
  readonly key: string;
}

/** Where every parameter is; opens the files that hold any. */
function findKeys(directory: string, files: Map<string, SafetensorsFile>): Map<string, KeySource> {
  const sources = new Map<string, KeySource>();
  const open = (name: string) => {
    const file = files.get(name) ?? openSafetensors(join(directory, name));
    files.set(name, file);
    return file;
  };
  const add = (key: string, fileName: string) => {
    if (SKIPPED.some((prefix) => key.startsWith(prefix))) return;
    const name = key.startsWith(PREFIX) ? key.slice(PREFIX.length) : key;
    sources.set(name, { file: open(fileName), key });
  };
  if (existsSync(join(directory, INDEX))) {
    const index = readJsonFile(directory, INDEX, "ERR_CHECKPOINT_CONFIG").weight_map;
    for (const [key, fileName] of Object.entries((index ?? {}) as Record<string, string>)) add(key, fileName);
  } else {
    for (const key of open(SINGLE).entries.keys()) add(key, SINGLE);
  }
  return sources;
}

function checkKeys(directory: string, config: ThinkerConfig, sources: ReadonlyMap<string, KeySource>): void {
  const missing: string[] = [];
  const misshapen: string[] = [];
  const expected = new Set<string>();
  for (const { name, shape } of parameterSpecs(config)) {
    expected.add(name);
    const source = sources.get(name);
    const stored = source?.file.entries.get(source.key)?.shape;
    if (!stored) {
      if (name !== HEAD_NAME) missing.push(name);
    } else if (stored.length !== shape.length || stored.some((length, i) => length !== shape[i])) {
      misshapen.push(`${name} expected [${shape.join(", ")}], got [${stored.join(", ")}]`);
    }
  }
  const unexpected = [...sources.keys()].filter((name) => !expected.has(name));
  const problems = [
    ["missing", missing],
    ["unexpected", unexpected],
    ["misshapen", misshapen],
  ] as const;
  const text = problems
    .filter(([, names]) => names.length > 0)
    .map(
      ([kind, names]) =>
        `${names.length} ${kind} (${names.slice(0, MAX_LISTED).join("; ")}${names.length > MAX_LISTED ? "; ..." : ""})`,
    );
  if (text.length > 0) {
    throw new CheckpointError(
      "ERR_CHECKPOINT_KEYS",
      directory,
      `expected the ${expected.size} parameters that config.json describes, got ${text.join(", ")}. Is config.json of this model?`,
    );
  }
}

/**
 * Writes parameters, companions and config. Every file appears whole or not at all, config.json last: a directory that
 * has one is a model, also after a crash or on a full disk.
 */
export function writeCheckpoint(
  directory: string,
  { config, parameters, companions }: Pick<Checkpoint, "config" | "parameters" | "companions">,
): void {
  mkdirSync(directory, { recursive: true });
  const dtype = parameters.values().next().value?.dtype ?? "float32";
  const json = {
    ...config.json,
    architectures: ["Qwen2_5OmniThinkerForConditionalGeneration"],
    model_type: "qwen2_5_omni_thinker",
    torch_dtype: dtype,
  };
  writeSafetensors(join(directory, SINGLE), parameters, { format: "pt" });
  for (const [name, text] of [...companions, ["config.json", `${JSON.stringify(json, null, 2)}\n`] as const]) {
    replaceText(join(directory, name), text);
  }
}

function replaceText(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text);
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new CheckpointError("ERR_CHECKPOINT_WRITE", path, `cannot be written: ${(cause as Error).message}.`, {
      cause,
    });
  }
}
