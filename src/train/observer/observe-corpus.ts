// The observer of a corpus that lies on the disk: its clips are decoded once, by processes of their own, and lie beside the observer
// until it is made.
import { existsSync, rmSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { z } from "zod";
import type { ClipSettings } from "../../corpus/clips/clip-settings.ts";
import { requireReadable } from "../../corpus/clips/read-corpus.ts";
import { ClipReader } from "../../corpus/clips/reader/clip-reader.ts";
import type { Setting } from "../../corpus/setting.ts";
import { audioPath, mediaPath } from "../../data/jsonl.ts";
import type { Sample } from "../../data/sample.ts";
import type { OmniModel } from "../../models/omni-model.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import { type CorpusObserver, openCorpusObserver } from "./corpus-observer.ts";
import type { observerSettings } from "./settings.ts";

export interface CorpusOnDisk {
  /** The corpus: media paths are relative to it. */
  readonly file: string;
  readonly clips: ClipSettings;
  readonly observer: Readonly<z.output<typeof observerSettings>>;
  readonly seed: number;
  readonly maxSkippedFraction: number;
  readonly maxPromptTokens: number | null;
  /** The observer's, with what of decoded clips is needed while it learns. */
  readonly folder: string;
  readonly setting: Pick<Setting, "kind" | "embedder">;
  readonly interrupt: Interrupt;
  /** Told of a part's clips: those that are read, then the views of each modality. */
  readonly onProgress: (done: number, total: number) => void;
  readonly onNotice: (line: string) => void;
}

/** @param model with the towers that are not to change @throws those of openCorpusObserver */
export async function observeCorpus(
  model: OmniModel,
  samples: readonly Sample[],
  { file, clips, observer, folder, setting, interrupt, onProgress, onNotice, ...options }: CorpusOnDisk,
): Promise<CorpusObserver> {
  const root = dirname(file);
  const { cache, cacheGigabytes, workers, decodeSeconds: maxSeconds } = clips;
  const scratch = join(folder, "clips");
  using reader = new ClipReader(
    {
      ...{ root, fit: model.fitting, fitKey: model.fitKey, workers, maxSeconds },
      cache: { folder: resolve(cache ?? scratch), maxBytes: cacheGigabytes * 2 ** 30 },
    },
    onNotice,
  );
  try {
    return await openCorpusObserver(model, samples, {
      ...observer,
      ...options,
      ...{ kind: setting.kind, embedder: setting.embedder, folder },
      read: async (sample) => {
        const clip = await reader.read(sample);
        requireReadable(model, clip, options.maxPromptTokens);
        return clip;
      },
      stampOf: (sample) => stampOf(root, sample),
      onProgress: async (done, total) => {
        onProgress(done, total);
        await interrupt.safePoint();
      },
      onTurn: () => interrupt.safePoint(),
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Sizes and times of its files. */
function stampOf(root: string, sample: Sample): number[] {
  return [mediaPath(root, sample), audioPath(root, sample)].flatMap((path) => {
    if (path === null) return [];
    if (!existsSync(path)) return [-1];
    const { size, mtimeMs } = statSync(path);
    return [size, mtimeMs];
  });
}
