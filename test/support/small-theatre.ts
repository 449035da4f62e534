// A theatre of a few small clips with a very small thinker, in a temporary folder: what the tests of the recipes share.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ClipFitter, type FittedSample, fitSamples } from "../../src/corpus/clips/fitted-samples.ts";
import { loadSamples } from "../../src/data/jsonl.ts";
import type { Sample } from "../../src/data/sample.ts";
import { buildCorpus } from "../../src/data/theatre/corpus.ts";
import type { SceneKind } from "../../src/data/theatre/draw.ts";
import { type CorpusPlan, defaultClipFormat } from "../../src/data/theatre/plan.ts";
import { buildTheatreTokenizer } from "../../src/data/theatre/tokenizer.ts";
import { initTiny } from "../../src/models/qwen-omni/init.ts";
import { verySmall } from "./very-small.ts";

const split = "clips";

export interface SmallTheatre extends Disposable {
  readonly root: string;
  /** Of the corpus. */
  readonly corpus: string;
  readonly samplesFile: string;
  readonly samples: readonly Sample[];
  /** A fresh model from a seed. @returns its directory. */
  freshModel(seed: number): string;
}

export async function smallTheatre(numClips: number, kind: SceneKind = "train"): Promise<SmallTheatre> {
  const root = mkdtempSync(join(tmpdir(), "oppo-recipes-"));
  const corpus = join(root, "corpus");
  const plan: CorpusPlan = {
    seed: 4,
    splits: [{ name: split, kind, numClips }],
    format: { ...defaultClipFormat, size: 112, preset: "ultrafast" },
  };
  await buildCorpus(corpus, plan);
  const samplesFile = join(corpus, `${split}.jsonl`);
  const { samples } = await loadSamples(samplesFile);
  return {
    root,
    corpus,
    samplesFile,
    samples,
    freshModel(seed) {
      const directory = join(root, `fresh-${seed}`);
      initTiny(directory, buildTheatreTokenizer(), seed, verySmall);
      return directory;
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Every clip of the theatre at a model's resolution. */
export async function fitAll(theatre: SmallTheatre, model: ClipFitter): Promise<FittedSample[]> {
  const options = { model, maxSkippedFraction: 0 };
  return (await fitSamples(theatre.corpus, theatre.samples, options)).fitted;
}
