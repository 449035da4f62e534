// The clips of what is learnt and of what is measured, held or streamed, each with a library of its own.
import { join } from "node:path";
import { ClipLibrary } from "../../corpus/clips/clip-library.ts";
import type { ClipOrder } from "../../corpus/clips/clip-source.ts";
import { type OpenedClips, openClips } from "../../corpus/clips/open-clips.ts";
import type { Conversation } from "../../data/conversations/conversation.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import type { Progress } from "../../run/progress.ts";
import { ShownRows } from "../../train/cold-start/shown-rows.ts";
import type { OpenedPolicy } from "../../train/policy.ts";
import type { SftRunConfig } from "./settings.ts";
import type { SftData } from "./sft-data.ts";

export interface RowsOptions {
  readonly models: OpenedPolicy;
  readonly data: SftData;
  readonly order: ClipOrder<Conversation>;
  readonly config: SftRunConfig;
  readonly folder: string;
  /** Before the names of its files in the run's folder. */
  readonly prefix: string;
  /** Whether files of the run are this process' to write. */
  readonly isWriter: boolean;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
}

/** Owner of its library and of what reads it. */
export interface OpenedRows extends Disposable {
  readonly rows: ShownRows;
  readonly clips: OpenedClips<Conversation>;
}

/** Rows named in the log; the file has all of them. */
const maxNamed = 3;

/** @throws OppoError ERR_TOO_MANY_SKIPPED, ERR_NO_SAMPLES */
export async function openRows(options: RowsOptions): Promise<OpenedRows> {
  const { models, data, order, config, folder, prefix, isWriter, progress, interrupt } = options;
  const library = new ClipLibrary(models.reference);
  try {
    const clips = await openClips(library, order, {
      settings: config.clips,
      file: data.file,
      root: data.mediaRoot,
      maxSkippedFraction: config.maxSkippedFraction,
      cacheFile: join(folder, `${prefix}clips.safetensors`),
      ...(isWriter ? { skipFile: join(folder, `${prefix}skipped.jsonl`) } : {}),
      progress,
      interrupt,
    });
    let numNamed = 0;
    const rows = new ShownRows({
      model: models.reference,
      source: clips,
      order,
      maxTokens: config.maxTokens,
      maxSkippedFraction: config.maxSkippedFraction,
      skipFile: isWriter ? join(folder, `${prefix}skipped-rows.jsonl`) : null,
      file: data.file,
      onSkip: (id, reason) => {
        if (numNamed++ < maxNamed) progress.log(`${data.file}: row left out: ${id}: ${reason}`);
      },
    });
    return {
      rows,
      clips,
      [Symbol.dispose]() {
        clips[Symbol.dispose]();
        library[Symbol.dispose]();
      },
    };
  } catch (error) {
    library[Symbol.dispose]();
    throw error;
  }
}
