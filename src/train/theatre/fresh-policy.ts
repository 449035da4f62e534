// The model that every program of the theatre begins with: the real topology with drawn weights.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { buildTheatreTokenizer } from "../../data/theatre/tokenizer.ts";
import { initFresh } from "../../models/registry.ts";
import { deriveSeed } from "../../seeds.ts";

/** Writes it into a folder where it is not there yet. @param arch a row of the registry that makes small models */
export async function makeFreshPolicy(folder: string, seed: number, arch = "tiny"): Promise<void> {
  if (existsSync(join(folder, "config.json"))) return;
  const options = { seed: deriveSeed(seed, "policy"), dtype: "float32" } as const;
  await initFresh(arch, folder, buildTheatreTokenizer(), options);
}
