// Towers that are published apart: where their weights may lie below a HumanOmni folder, by which keys, and what to fetch where
// they are nowhere. Names no native code, so that an inspection can say it.
import { join } from "node:path";
import type { WeightFolder, WeightTable } from "../checkpoint/weight-table.ts";
import { publishedTowers } from "./config/published-towers.ts";
import type { TowerKind, Towers } from "./config/towers.ts";
import { AUDIO, QUESTION, towerRoots, VISION } from "./parameters.ts";

/** What the keys of a tower published alone begin with, and what they begin with here. */
const prefixes: Readonly<Record<TowerKind, readonly (readonly [theirs: string, ours: string])[]>> = {
  vision: [["vision_model.", `${VISION}.`]],
  audio: [
    ["model.encoder.", `${AUDIO}.`],
    ["encoder.", `${AUDIO}.`],
  ],
  question: [
    ["bert.", `${QUESTION}.`],
    ["embeddings.", `${QUESTION}.embeddings.`],
    ["encoder.", `${QUESTION}.encoder.`],
    ["pooler.", `${QUESTION}.pooler.`],
  ],
};

/** Words of a notice. */
const towerNames: Readonly<Record<TowerKind, string>> = {
  vision: "the vision tower",
  audio: "the audio tower",
  question: "the encoder of the question",
};

const kinds = Object.keys(towerRoots) as TowerKind[];

/** The towers' folders, for what the model's own weights lack. */
export function towerWeights(towers: Towers): WeightFolder[] {
  return kinds.map((kind) => ({ folder: towers[kind].folder, root: towerRoots[kind], nameOf: keyOf(kind) }));
}

function keyOf(kind: TowerKind): (key: string) => string | null {
  return (key) => {
    const found = prefixes[kind].find(([theirs]) => key.startsWith(theirs));
    if (found === undefined || key.endsWith(".position_ids")) return null;
    const [theirs, ours] = found;
    // TensorFlow's names of a norm, which BERT's oldest files have.
    return (ours + key.slice(theirs.length)).replace(/\.gamma$/, ".weight").replace(/\.beta$/, ".bias");
  };
}

/** A sentence for every tower that the table lacks entirely. */
export function absentTowers({ weights, directory }: WeightTable, towers: Towers): string[] {
  const names = [...weights.keys()];
  return kinds.flatMap((kind) => {
    if (names.some((name) => name.startsWith(towerRoots[kind]))) return [];
    const { folder } = towers[kind];
    const repository = publishedTowers[folder]?.repository ?? folder;
    return [
      `expected weights of ${towerNames[kind]} (${towerRoots[kind]}*), got none. Fetch config.json and model.safetensors of ` +
        `${repository} into ${join(directory, folder)}.`,
    ];
  });
}
