// Samples with their clips decoded and brought to the model's resolution. Decoding is the slow part and never changes,
// so its result is kept beside the corpus as one safetensors file, memory-mapped when it is read again; the file is
// keyed by every clip's size and time and by the model's resolution.
import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { relative, resolve } from "node:path";
import type { ClipFiles } from "../../data/conversations/conversation.ts";
import { audioPath, mediaPath } from "../../data/jsonl.ts";
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";
import type { MediaClip } from "../../media/clip.ts";
import type { OmniModel } from "../../models/omni-model.ts";
import { openSafetensors, scope, type Tensor, tensor, writeSafetensors } from "../../tensor/index.ts";
import { decodeSample } from "./sample-clip.ts";

export interface FittedSample<S extends ClipFiles = Sample> {
  readonly sample: S;
  readonly clip: MediaClip;
}

/** The same of anything that has a clip. */
export interface FittedClip {
  readonly sample: Pick<Sample, "id">;
  readonly clip: MediaClip;
}

export interface SkippedSample {
  readonly id: string;
  readonly reason: string;
}

/** What of a model says how it looks at a clip. */
export interface ClipFitter extends Pick<OmniModel, "fitting" | "fitKey"> {
  /** Throws for a clip that the model cannot take: here it is a skip, later it would be a fault among many. */
  readonly check?: (fitted: MediaClip) => void;
}

export interface FitOptions {
  /** Where the decoded clips are kept; left out, nothing is kept. */
  readonly cacheFile?: string;
  /** What the model looks at, and at which size. */
  readonly model: ClipFitter;
  /** More unreadable clips than this share stop the run. */
  readonly maxSkippedFraction: number;
  readonly onProgress?: (numDone: number, numTotal: number) => void;
  readonly signal?: AbortSignal;
  /** Reads a clip as the model looks at it; left out: the decoders of this program do. */
  readonly read?: (sample: ClipFiles) => Promise<MediaClip>;
  /** How many are read at once. Default 2. */
  readonly atOnce?: number;
}

/** @throws OppoError ERR_TOO_MANY_SKIPPED when more than maxSkippedFraction of the clips cannot be read. */
export async function fitSamples<S extends ClipFiles>(
  root: string,
  samples: readonly S[],
  options: FitOptions,
): Promise<{ fitted: FittedSample<S>[]; skipped: SkippedSample[] }> {
  const key = cacheKey(root, samples, options.model.fitKey);
  const cached = options.cacheFile === undefined ? null : readCache(options.cacheFile, key, samples);
  if (cached !== null) return cached;
  const fitted: FittedSample<S>[] = [];
  const skipped: SkippedSample[] = [];
  const read = (sample: S) => readOne(root, sample, options);
  for await (const [i, one] of ahead(samples, read, options.atOnce ?? 2)) {
    const sample = samples[i]!;
    if (one instanceof OppoError) {
      skipped.push({ id: sample.id, reason: one.message });
      refuseTooManySkips(root, skipped, samples.length, options.maxSkippedFraction);
    } else fitted.push({ sample, clip: one });
    options.onProgress?.(i + 1, samples.length);
  }
  if (options.cacheFile !== undefined) writeCache(options.cacheFile, key, fitted, skipped);
  return { fitted, skipped };
}

/** The clip, or why it is left out. */
async function readOne(
  root: string,
  sample: ClipFiles,
  { model, signal, read }: FitOptions,
): Promise<MediaClip | OppoError> {
  signal?.throwIfAborted();
  try {
    const clip = await (read?.(sample) ?? decodeSample(root, sample, { fit: model.fitting }, signal));
    model.check?.(clip);
    return clip;
  } catch (error) {
    if (!(error instanceof OppoError) || signal?.aborted) throw error;
    return error;
  }
}

/** The results in order, the next ones already on their way. */
async function* ahead<T, R>(
  items: readonly T[],
  read: (item: T) => Promise<R>,
  atOnce: number,
): AsyncGenerator<[number, R]> {
  const begun: Promise<R>[] = [];
  for (let i = 0; i < items.length; i++) {
    while (begun.length < atOnce && i + begun.length < items.length) {
      const result = read(items[i + begun.length]!);
      // Whoever waits for it hears of a failure; nobody does where an earlier one ended the loop.
      result.catch(() => undefined);
      begun.push(result);
    }
    const first = begun.shift()!;
    yield [i, await first];
  }
}

function refuseTooManySkips(root: string, skipped: readonly SkippedSample[], total: number, limit: number): void {
  if (skipped.length <= limit * total) return;
  const last = skipped.at(-1)!;
  throw new OppoError(
    "ERR_TOO_MANY_SKIPPED",
    `${resolve(root)}: expected at most ${Math.floor(limit * total)} of ${total} clips to be unreadable, got ${skipped.length}; the last is ${last.id}: ${last.reason} Repair or remove them, or raise maxSkippedFraction.`,
  );
}

function cacheKey(root: string, samples: readonly ClipFiles[], fitKey: string): string {
  const hash = createHash("sha256").update(`fitted-2\n${fitKey}\n`);
  for (const sample of samples) {
    for (const path of [mediaPath(root, sample), audioPath(root, sample)]) {
      if (path === null) continue;
      const stat = existsSync(path) ? statSync(path) : null;
      hash.update(`${sample.id} ${relative(root, path)} ${stat?.size ?? "missing"} ${stat?.mtimeMs ?? 0}\n`);
    }
  }
  return hash.digest("hex");
}

interface ClipHeader {
  readonly id: string;
  readonly clip: Omit<MediaClip, "frames" | "waveform">;
}

function writeCache(
  file: string,
  key: string,
  fitted: readonly FittedSample<ClipFiles>[],
  skipped: readonly SkippedSample[],
): void {
  scope(() => {
    const tensors = new Map<string, Tensor>();
    const headers = fitted.map(({ sample, clip }): ClipHeader => {
      const { frames, waveform, ...rest } = clip;
      if (frames.length > 0) tensors.set(`${sample.id}/frames`, tensor(frames));
      if (waveform.length > 0) tensors.set(`${sample.id}/waveform`, tensor(waveform));
      return { id: sample.id, clip: rest };
    });
    writeSafetensors(file, tensors, { key, headers: JSON.stringify(headers), skipped: JSON.stringify(skipped) });
  });
}

function readCache<S extends ClipFiles>(
  file: string,
  key: string,
  samples: readonly S[],
): { fitted: FittedSample<S>[]; skipped: SkippedSample[] } | null {
  if (!existsSync(file)) return null;
  using opened = openSafetensors(file);
  if (opened.metadata.key !== key) return null;
  const byId = new Map(samples.map((sample) => [sample.id, sample]));
  const headers = JSON.parse(opened.metadata.headers!) as ClipHeader[];
  const fitted = headers.map(({ id, clip }): FittedSample<S> => {
    const frames = `${id}/frames`;
    const waveform = `${id}/waveform`;
    return scope(() => ({
      sample: byId.get(id)!,
      clip: {
        ...clip,
        frames: opened.entries.has(frames) ? opened.tensor(frames).toUint8Array() : new Uint8Array(0),
        waveform: opened.entries.has(waveform) ? opened.tensor(waveform).toFloat32Array() : new Float32Array(0),
      },
    }));
  });
  return { fitted, skipped: JSON.parse(opened.metadata.skipped!) as SkippedSample[] };
}
