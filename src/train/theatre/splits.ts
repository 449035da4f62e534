// The theatre's splits: one corpus each, rendered and decoded in as many shards as there are workers, so that what is
// needed first is there first and no clip is decoded twice.
import { join } from "node:path";
import { type ClipFitter, type FittedSample, fitSamples } from "../../corpus/clips/fitted-samples.ts";
import { loadSamples } from "../../data/jsonl.ts";
import type { Sample } from "../../data/sample.ts";
import { buildCorpus, placedScenes } from "../../data/theatre/corpus.ts";
import type { SceneKind } from "../../data/theatre/draw.ts";
import { type ClipFormat, type CorpusPlan, defaultClipFormat } from "../../data/theatre/plan.ts";
import { sceneSample } from "../../data/theatre/render.ts";
import type { TaskContext, TheatrePaths } from "./context.ts";
import type { TheatreConfig } from "./settings.ts";

const kinds = {
  warmup: "decorrelated",
  warmupDev: "decorrelated",
  sft: "train",
  rl: "train",
  dev: "congruent",
  devConflict: "conflict",
  congruent: "congruent",
  conflict: "conflict",
} as const satisfies Record<string, SceneKind>;

export type SplitName = keyof typeof kinds;

export const splitNames = Object.keys(kinds) as SplitName[];

/** More unreadable clips than this share stop the program; its clips were just rendered, so any is suspicious. */
const maxSkippedFraction = 0.02;

export interface Shard {
  readonly split: SplitName;
  readonly index: number;
  readonly count: number;
}

export function shardsOf(config: TheatreConfig, split: SplitName): Shard[] {
  const count = config.shards;
  return Array.from({ length: count }, (_, index) => ({ split, index, count }));
}

/** Renders and decodes one shard of a split. */
export async function renderShard(context: TaskContext, shard: Shard, fitter: ClipFitter): Promise<void> {
  const { paths, config, interrupt, progress } = context;
  const plan = planOf(config, shard.split);
  const root = paths.corpus(shard.split);
  await buildCorpus(root, plan, {
    shard,
    signal: interrupt.signal,
    onProgress: ({ done, total }) => progress({ done, total: 2 * total, detail: "rendering" }),
  });
  const own = placedScenes(plan).filter((_, i) => i % shard.count === shard.index);
  await fitShard(
    paths,
    shard,
    own.map((placed) => sceneSample(placed, plan.format)),
    fitter,
    {
      signal: interrupt.signal,
      onProgress: (done, total) => progress({ done: total + done, total: 2 * total, detail: "decoding" }),
    },
  );
}

/** The samples of a split with their clips at the model's resolution, in the split's order. */
export async function fittedSplit(context: TaskContext, split: SplitName, fitter: ClipFitter): Promise<FittedSample[]> {
  const { paths, config } = context;
  const { samples } = await loadSamples(samplesFile(paths, split));
  const merged: (FittedSample | undefined)[] = samples.map(() => undefined);
  for (const shard of shardsOf(config, split)) {
    const own = samples.filter((_, i) => i % shard.count === shard.index);
    const fitted = await fitShard(paths, shard, own, fitter, { signal: context.interrupt.signal });
    const place = new Map(own.map((sample, i) => [sample.id, i * shard.count + shard.index]));
    for (const item of fitted) merged[place.get(item.sample.id)!] = item;
  }
  return merged.filter((item) => item !== undefined);
}

export function samplesFile(paths: Pick<TheatrePaths, "corpus">, split: SplitName): string {
  return join(paths.corpus(split), `${split}.jsonl`);
}

async function fitShard(
  paths: TheatrePaths,
  { split, index, count }: Shard,
  samples: readonly Sample[],
  fitter: ClipFitter,
  options: { readonly signal?: AbortSignal; readonly onProgress?: (done: number, total: number) => void },
): Promise<FittedSample[]> {
  const cacheFile = join(paths.corpus(split), `fitted-${index}-of-${count}.safetensors`);
  const { fitted } = await fitSamples(paths.corpus(split), samples, {
    ...options,
    cacheFile,
    model: fitter,
    maxSkippedFraction,
  });
  return fitted;
}

/** What a split consists of. */
export function planOf(config: TheatreConfig, split: SplitName): CorpusPlan {
  return {
    seed: config.seed,
    splits: [{ name: split, kind: kinds[split], numClips: config.clips[split] }],
    format: learntFrom.has(split) ? learningFormat : defaultClipFormat,
  };
}

/** Splits that nobody watches. */
const learntFrom: ReadonlySet<SplitName> = new Set(["warmup", "warmupDev", "sft", "rl"]);

/**
 * A model looks at four moments of a clip, 0.64 s apart, and every eighth frame of 12.5 a second is every fourth of 6.25: half of
 * the pictures are drawn, and those that are looked at are the same.
 */
const learningFormat: ClipFormat = { ...defaultClipFormat, fps: defaultClipFormat.fps / 2 };
