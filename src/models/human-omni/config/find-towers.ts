// The towers of a HumanOmni folder: SigLIP, Whisper and BERT have folders of their own inside it, with a config.json that names
// what they are. Where one is absent, the published shape counts that config.json names; paths in config.json are not followed.
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { CheckpointError } from "../../../tensor/error.ts";
import { readJsonFile, readTextFile } from "../../../text/json-file.ts";
import { COMPANION_FILES, CONFIG_FILE } from "../../checkpoint/model-directory.ts";
import { publishedTowers } from "./published-towers.ts";
import type { Json, TowerKind, Towers } from "./towers.ts";

interface KnownKind {
  /** Of its config.json. */
  readonly modelTypes: readonly string[];
  /** Of the model's config.json: where somebody's copy of it lies. */
  readonly field: string | null;
  readonly standard: string;
}

export const towerKinds: Readonly<Record<TowerKind, KnownKind>> = {
  vision: {
    modelTypes: ["siglip", "siglip_vision_model"],
    field: "mm_vision_tower",
    standard: "siglip-base-patch16-224",
  },
  audio: { modelTypes: ["whisper"], field: "mm_audio_tower", standard: "whisper-large-v3" },
  question: { modelTypes: ["bert"], field: null, standard: "bert-base-uncased" },
};

/** Files beside a tower's config.json that a save writes back. */
const towerFiles = [...COMPANION_FILES, CONFIG_FILE, "vocab.txt"];

/** @throws CheckpointError ERR_CHECKPOINT_CONFIG where a shape is neither there nor published */
export function findTowers(directory: string, json: Json): Towers {
  const folders = towerFolders(directory);
  const towers = Object.entries(towerKinds).map(([kind, known]) => {
    const named = nameIn(json, known);
    const own = folders.filter(({ modelType }) => known.modelTypes.includes(modelType));
    const found = own.find(({ name }) => name === named) ?? (own.length === 1 ? own[0] : undefined);
    if (found !== undefined) return [kind, { json: found.json, folder: found.name }];
    const published = publishedTowers[named];
    if (own.length === 0 && published !== undefined) return [kind, { json: published.config, folder: named }];
    const got = own.length === 0 ? `${named}, whose shape is not known` : own.map(({ name }) => name).join(" and ");
    throw new CheckpointError(
      "ERR_CHECKPOINT_CONFIG",
      directory,
      `${known.field ?? kind}: expected one folder here with a config.json of model_type ${known.modelTypes[0]}, got ${got}. ` +
        `Put the tower's config.json into ${join(directory, named)}.`,
    );
  });
  return Object.fromEntries(towers) as Towers;
}

/** What config.json says of a tower's place: nobody's path is followed, only its last name counts. */
function nameIn(json: Json, { field, standard }: KnownKind): string {
  const path = field === null ? null : json[field];
  const name = typeof path === "string" ? basename(path.replaceAll("\\", "/")) : "";
  return name === "" || name === "." || name === ".." ? standard : name;
}

/** A line for every path of config.json that leads somewhere. */
export function unfollowedPaths(json: Json, towers: Towers): string[] {
  return (["vision", "audio"] as const).flatMap((kind) => {
    const field = towerKinds[kind].field!;
    const path = json[field];
    if (typeof path !== "string" || !/[/\\]/.test(path)) return [];
    return [
      `config.json: ${field} ${JSON.stringify(path)} is not followed; ${towers[kind].folder} of this folder counts`,
    ];
  });
}

/** The small files of the towers' folders, by their path in the model's folder. */
export function towerCompanions(directory: string, towers: Towers): Map<string, string> {
  const files = new Map<string, string>();
  for (const { folder } of Object.values(towers)) {
    for (const name of towerFiles) {
      const path = join(directory, folder, name);
      if (existsSync(path)) files.set(`${folder}/${name}`, readTextFile(path, "ERR_CHECKPOINT_CONFIG"));
    }
  }
  return files;
}

interface TowerFolder {
  readonly name: string;
  readonly modelType: string;
  readonly json: Json;
}

/** Links are not followed. */
function towerFolders(directory: string): TowerFolder[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry): TowerFolder[] => {
    const folder = join(directory, entry.name);
    if (!entry.isDirectory() || !existsSync(join(folder, CONFIG_FILE))) return [];
    const json = readJsonFile(folder, CONFIG_FILE, "ERR_CHECKPOINT_CONFIG");
    return typeof json.model_type === "string" ? [{ name: entry.name, modelType: json.model_type, json }] : [];
  });
}
