// A corpus for a recipe: rows from its JSONL file, clips decoded to the model's resolution. What cannot be read is left
// out, counted and named; too much of it, or nothing left, stops the run.
import { dirname } from "node:path";
import type { ClipFiles } from "../../data/conversations/conversation.ts";
import { adviceFor, loadSamples } from "../../data/jsonl.ts";
import type { FieldMap } from "../../data/row-fields.ts";
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";
import type { MediaClip } from "../../media/clip.ts";
import type { OmniModel } from "../../models/omni-model.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import type { Progress } from "../../run/progress.ts";
import { requireShortPrompt } from "./clip-length.ts";
import { type NoticedClip, noticeLines } from "./clip-notices.ts";
import type { FitOptions, FittedSample, SkippedSample } from "./fitted-samples.ts";

/** Skips named in the log; the rest is only counted. */
const maxNamedSkips = 3;

/** A clip with less sound than this may be too short for the audio tower. */
const shortSoundSeconds = 0.5;

/** @throws OppoError ERR_NO_SAMPLES, DatasetError */
export async function readCorpus(
  file: string,
  maxSkippedRows: number,
  log: (line: string) => void,
  fields: FieldMap = {},
): Promise<Sample[]> {
  const { samples, skipped } = await loadSamples(file, { maxSkippedRows, fields });
  logSkips(
    log,
    `${file}: rows`,
    skipped.map(({ line, reason }) => `line ${line}: ${reason}`),
  );
  if (samples.length > 0) return samples;
  const reasons = [...new Set(skipped.map(({ reason }) => reason))];
  const got = reasons.length === 0 ? "none" : `none (rows skipped: ${skipped.length}; ${reasons[0]})`;
  const advice = reasons.length === 0 ? 'One JSON object per line, with "id" and "media".' : adviceFor(reasons);
  throw new OppoError("ERR_NO_SAMPLES", `${file}: expected at least one sample, got ${got}. ${advice}`);
}

export interface FitCorpusOptions extends Pick<FitOptions, "read" | "atOnce"> {
  readonly file: string;
  /** Where the media are; left out: beside the file. */
  readonly root?: string;
  readonly maxSkippedFraction: number;
  /** Clips whose prompts are longer are left out; null: none is. */
  readonly maxPromptTokens?: number | null;
  /** Where decoded clips are kept; left out, nothing is kept. */
  readonly cacheFile?: string;
  /** Where the clips that were left out are listed, with reasons; left out, they are only logged. */
  readonly skipFile?: string;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
}

/** The samples whose clips can be read, with their clips. @throws OppoError ERR_TOO_MANY_SKIPPED, ERR_NO_SAMPLES */
export async function fitCorpus<S extends ClipFiles>(
  model: OmniModel,
  samples: readonly S[],
  { file, root = dirname(file), maxPromptTokens = null, skipFile, progress, interrupt, ...options }: FitCorpusOptions,
): Promise<{ fitted: FittedSample<S>[]; skipped: SkippedSample[] }> {
  // Only here: reading a corpus does without the addon.
  const { fitSamples } = await import("./fitted-samples.ts");
  const stage = progress.stage("decoding", samples.length);
  const result = await fitSamples(root, samples, {
    ...options,
    model: {
      fitting: model.fitting,
      // Clips that are left out are kept as such, too.
      fitKey: maxPromptTokens === null ? model.fitKey : `${model.fitKey} ${maxPromptTokens}`,
      check: (clip) => requireReadable(model, clip, maxPromptTokens),
    },
    signal: interrupt.signal,
    onProgress: (done) => stage.update(done),
  });
  stage.update(samples.length);
  stage.finish();
  logSkips(
    progress.log,
    `${file}: clips`,
    result.skipped.map(({ id, reason }) => `${id}: ${reason}`),
  );
  for (const [i, line] of noticeLines(noticedOf(result.fitted)).entries()) {
    progress.log(i === 0 ? `${file}: clips that ${line}` : line);
  }
  if (skipFile !== undefined && result.skipped.length > 0) {
    replaceFile(skipFile, result.skipped.map((skip) => `${JSON.stringify(skip)}\n`).join(""));
  }
  if (result.fitted.length > 0) return result;
  throw new OppoError("ERR_NO_SAMPLES", `${file}: expected at least one clip that can be read, got none.`);
}

/** Clips of a corpus that gave less than their files state. */
export function noticedOf(fitted: readonly FittedSample<ClipFiles>[]): NoticedClip[] {
  return fitted.flatMap(({ sample, clip: { notices } }) => (notices === undefined ? [] : [{ id: sample.id, notices }]));
}

/** A clip that the model cannot take fails here, where it is a skip, and not later among many. */
export function requireReadable(model: OmniModel, fitted: MediaClip, maxPromptTokens: number | null): void {
  const isShort = fitted.waveform.length > 0 && fitted.waveform.length < shortSoundSeconds * fitted.sampleRateHz;
  if (isShort) model.features({ ...fitted, frames: new Uint8Array(0), numFrames: 0 });
  if (maxPromptTokens !== null) requireShortPrompt(model, fitted, maxPromptTokens);
}

function logSkips(log: (line: string) => void, what: string, reasons: readonly string[]): void {
  if (reasons.length === 0) return;
  log(`${what} skipped: ${reasons.length}`);
  for (const reason of reasons.slice(0, maxNamedSkips)) log(`  ${reason}`);
  if (reasons.length > maxNamedSkips) log(`  and ${reasons.length - maxNamedSkips} more`);
}
