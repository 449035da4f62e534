// The small files of a model directory: config.json and its companions (tokenizer, chat template, preprocessor and
// generation settings), which a save writes back as they were read.
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryBeside } from "../../temporary-files.ts";
import { CheckpointError } from "../../tensor/error.ts";
import { readJsonFile, readTextFile } from "../../text/json-file.ts";

export const CONFIG_FILE = "config.json";

export const COMPANION_FILES: readonly string[] = [
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
  "oppo_video.json",
];

/** Says that there is no model at all before a file of it is looked for. @throws CheckpointError ERR_CHECKPOINT_MISSING */
export function requireModelDirectory(directory: string): void {
  if (existsSync(join(directory, CONFIG_FILE))) return;
  throw new CheckpointError(
    "ERR_CHECKPOINT_MISSING",
    directory,
    "expected a model folder with a config.json, got none. Check the path.",
  );
}

/** @throws CheckpointError ERR_CHECKPOINT_MISSING, OppoError ERR_CHECKPOINT_CONFIG */
export function readConfigJson(directory: string): Record<string, unknown> {
  requireModelDirectory(directory);
  return readJsonFile(directory, CONFIG_FILE, "ERR_CHECKPOINT_CONFIG");
}

/** The companions that are there, by name. */
export function readCompanions(directory: string): Map<string, string> {
  const companions = new Map<string, string>();
  for (const name of COMPANION_FILES) {
    const path = join(directory, name);
    if (existsSync(path)) companions.set(name, readTextFile(path, "ERR_CHECKPOINT_CONFIG"));
  }
  return companions;
}

/**
 * Writes companions (names may lead into folders below) and config.json, config.json last: a directory that has one is a model, also after a crash or on a
 * full disk. The weights are there already.
 */
export function writeModelFiles(
  directory: string,
  config: Readonly<Record<string, unknown>>,
  companions: ReadonlyMap<string, string>,
): void {
  for (const [name, text] of companions) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    replaceText(path, text);
  }
  replaceText(join(directory, CONFIG_FILE), `${JSON.stringify(config, null, 2)}\n`);
}

/** Writes a small file whole or not at all. @throws CheckpointError ERR_CHECKPOINT_WRITE */
export function replaceText(path: string, text: string): void {
  const temporary = temporaryBeside(path);
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
