// DFEW, MAFW, RAVDESS and EMER in their published layouts, as the files of the four rows. Media stay where they are, behind a link.
import { mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { wayToMedia } from "../../corpus/way-to-media.ts";
import { writeSamples } from "../../data/jsonl.ts";
import { readDataset } from "../../data/read-dataset.ts";
import { datasetNamed } from "../../data/readers/datasets.ts";
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";
import {
  conversationRow,
  labelOnly,
  type Material,
  type TestSet,
  thinkingAnswer,
  writeLabels,
  writeRows,
} from "./material.ts";
import type { RunPaths } from "./paths.ts";
import { referenceQuestions } from "./rows.ts";
import type { ROneOmniConfig } from "./settings.ts";

/** @throws DatasetError, OppoError ERR_R1_OMNI_DATA, ERR_EXPORT_LINK */
export async function publishedMaterial(config: ROneOmniConfig, paths: RunPaths): Promise<Material> {
  const { model, data, sets, fold, cold } = config;
  if (model === null || data === null) {
    throw new OppoError(
      "ERR_R1_OMNI_DATA",
      `oppo r1-omni: expected --model (a HumanOmni checkpoint) and --data (a folder with DFEW, MAFW, RAVDESS and EMER), or --theatre, got ${model === null ? "no model" : "no data"}. Give both, or try it on the theatre.`,
    );
  }
  mkdirSync(paths.data, { recursive: true });
  const root = resolve(data);
  const { prefix } = wayToMedia(resolve(join(paths.data, "labels.json")), root, "clips");
  const read = async (name: string, split: string) => {
    const samples: Sample[] = [];
    for await (const sample of readDataset(datasetNamed(name), root, split)) {
      const media = prefix === "" ? sample.media : `${prefix}/${sample.media}`;
      samples.push({ ...sample, id: `${name}-${sample.id}`, media });
    }
    return samples;
  };
  const learnt: Sample[] = [];
  const tests: TestSet[] = [];
  for (const name of sets) {
    const { title, labels } = datasetNamed(name);
    const isOutside = name === "ravdess";
    if (!isOutside) learnt.push(...(await read(name, `fold${fold}-train`)));
    const file = join(paths.data, `${name}.jsonl`);
    await writeSamples(file, (await read(name, isOutside ? "all" : `fold${fold}-test`)).map(labelOnly));
    tests.push({ title, file, labels, isOutside });
  }
  if (learnt.length === 0) {
    throw new OppoError(
      "ERR_R1_OMNI_DATA",
      `sets: expected dfew or mafw to learn from, got ${sets.join(", ")}. Name one of them, too.`,
    );
  }
  const coldStart =
    cold !== null
      ? { file: cold, media: config.coldMedia ?? dirname(cold) }
      : writeEmer(join(paths.data, "cold.json"), paths.data, await read("emer", "v1"));
  const shared = await writeLabels(paths.data, learnt, referenceQuestions);
  return { base: model, cold: coldStart, ...shared, sets: tests, questions: referenceQuestions };
}

function writeEmer(file: string, media: string, samples: readonly Sample[]) {
  const labelled = samples.filter(({ labels }) => labels.length > 0);
  writeRows(
    file,
    labelled.map(({ media: path, reasoning, labels }) =>
      conversationRow(path, referenceQuestions.thinking, thinkingAnswer(reasoning, labels[0]!)),
    ),
  );
  return { file, media };
}
