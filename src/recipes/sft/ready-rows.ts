// The clips of what is learnt and measured: decoded, encoded, and rows left out, counted and named, that cannot be shown as they ask.
import { join } from "node:path";
import type { ClipLibrary } from "../../corpus/clips/clip-library.ts";
import { fitCorpus, noticedOf } from "../../corpus/clips/read-corpus.ts";
import { type Conversation, clipsOf } from "../../data/conversations/conversation.ts";
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import type { Progress } from "../../run/progress.ts";
import { ConversationExamples, longestTokens, missingModality } from "../../train/conversation-examples.ts";
import type { OpenedPolicy } from "../../train/policy.ts";
import type { SftRunConfig } from "./settings.ts";
import type { SftData } from "./sft-data.ts";
import type { Split } from "./split.ts";

/** What is learnt and what is measured, of one file or of two. */
export interface Prepared {
  readonly data: SftData;
  /** Whose media the held-out rows' are. */
  readonly evalData: SftData;
  readonly split: Split;
}

interface Loading {
  readonly config: SftRunConfig;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
}

export interface ReadyRows {
  readonly learnt: readonly Conversation[];
  readonly heldOut: readonly Conversation[];
  readonly numSkipped: number;
  readonly numNoticedClips: number;
}

/** Decodes and encodes the clips of both, and leaves out the rows that cannot be shown as they ask. */
export async function loadClips(
  { policy }: OpenedPolicy,
  library: ClipLibrary,
  folder: string,
  { data, evalData, split }: Prepared,
  run: Loading,
): Promise<ReadyRows> {
  const { config, progress, interrupt } = run;
  const skipped: { readonly id: string; readonly reason: string }[] = [];
  let numNoticedClips = 0;
  const load = async (from: SftData, rows: readonly Conversation[], name: string): Promise<Conversation[]> => {
    if (rows.length === 0) return [];
    const { fitted, skipped: unread } = await fitCorpus(policy, clipsOf(rows).map(bareSample), {
      ...{ file: from.file, root: from.mediaRoot, progress, interrupt },
      maxSkippedFraction: config.maxSkippedFraction,
      cacheFile: join(folder, `${name}.safetensors`),
    });
    numNoticedClips += noticedOf(fitted).length;
    await encode(library, fitted, run);
    const reasons = new Map(unread.map(({ id, reason }) => [id, reason]));
    const { ready, left } = readable(policy, library, rows, reasons, config.maxTokens);
    skipped.push(...left);
    requireSome(from.file, rows.length, ready.length, left, config.maxSkippedFraction);
    return ready;
  };
  const learnt = await load(data, split.learnt, "clips");
  const heldOut = await load(evalData, split.heldOut, "held-out-clips");
  if (skipped.length > 0) {
    replaceFile(join(folder, "skipped.jsonl"), skipped.map((row) => `${JSON.stringify(row)}\n`).join(""));
    progress.log(`left out: ${skipped.length}; the first: ${skipped[0]!.id}: ${skipped[0]!.reason}`);
  }
  return { learnt, heldOut, numSkipped: skipped.length, numNoticedClips };
}

function bareSample(clip: { readonly id: string; readonly media: string; readonly audio?: string }): Sample {
  return { ...clip, subtitle: "", labels: [], reasoning: "", cues: [] };
}

async function encode(library: ClipLibrary, fitted: Parameters<ClipLibrary["add"]>[0], run: Loading): Promise<void> {
  const stage = run.progress.stage("encoding", fitted.length);
  const perTurn = 64;
  for (let start = 0; start < fitted.length; start += perTurn) {
    library.add(fitted.slice(start, start + perTurn));
    stage.update(Math.min(fitted.length, start + perTurn));
    await run.interrupt.safePoint();
  }
  stage.finish();
}

function readable(
  policy: OpenedPolicy["policy"],
  library: ClipLibrary,
  rows: readonly Conversation[],
  unread: ReadonlyMap<string, string>,
  maxTokens: number | null,
) {
  const left: { readonly id: string; readonly reason: string }[] = [];
  using examples = new ConversationExamples(policy, library);
  const ready = rows.filter((row) => {
    const bad = clipsOf([row]).find(({ id }) => unread.has(id));
    const reason = bad === undefined ? problemOf(row) : unread.get(bad.id)!;
    if (reason !== null) left.push({ id: row.id, reason });
    return reason === null;
  });
  function problemOf(row: Conversation): string | null {
    const missing = missingModality(row, (clip) => library.shape(clip));
    if (missing !== null || maxTokens === null) return missing;
    const length = longestTokens(examples.of(row));
    return length > maxTokens ? `${length} tokens with its clips and answers; maxTokens is ${maxTokens}` : null;
  }
  return { ready, left };
}

function requireSome(
  file: string,
  total: number,
  numReady: number,
  left: readonly { readonly id: string; readonly reason: string }[],
  limit: number,
): void {
  if (numReady > 0 && left.length <= limit * total) return;
  const last = left.at(-1)!;
  throw new OppoError(
    "ERR_TOO_MANY_SKIPPED",
    `${file}: expected at most ${Math.floor(limit * total)} of ${total} rows to be left out, got ${left.length}; the last is ${last.id}: ${last.reason}. Repair or remove them, give shorter clips, or raise maxSkippedFraction or maxTokens.`,
  );
}
