// The clips of a corpus for a program that trains: held in memory or streamed, as its settings say or as their size does. Both
// give the same numbers: clips are encoded one by one, and what cannot be read drops out of its batch.
import { dirname, resolve } from "node:path";
import type { ClipFiles } from "../../data/conversations/conversation.ts";
import type { OppoError } from "../../error.ts";
import type { MediaClip } from "../../media/clip.ts";
import { formatBytes } from "../../run/disk.ts";
import { type ClipLibrary, clipBytes } from "./clip-library.ts";
import { type NoticedClip, noticeLines } from "./clip-notices.ts";
import type { ClipSettings } from "./clip-settings.ts";
import { type ClipOrder, heldClips, type OpenClipSource } from "./clip-source.ts";
import { ClipStream, untilAborted } from "./clip-stream.ts";
import { TimeWatch } from "./clip-time.ts";
import type { SkippedSample } from "./fitted-samples.ts";
import { type FitCorpusOptions, fitCorpus, noticedOf, requireReadable } from "./read-corpus.ts";
import { ClipReader } from "./reader/clip-reader.ts";
import { SkipLog } from "./skip-log.ts";

/** What became of the clips: of a stream, of those that were asked for so far. */
export interface ClipAccount {
  /** Clips that there are. */
  readonly total: number;
  readonly skipped: readonly SkippedSample[];
  /** Gave less than their files state. */
  readonly noticed: readonly NoticedClip[];
}

export interface OpenedClips<Item> extends OpenClipSource<Item> {
  account(): ClipAccount;
}

/** As `fitCorpus` takes them; of a stream nothing goes to the cache file. */
export interface OpenClipsOptions extends Omit<FitCorpusOptions, "read" | "atOnce"> {
  readonly settings: ClipSettings;
}

/**
 * @param library gets the clips, through the towers of its model; it stays the caller's
 * @throws OppoError ERR_TOO_MANY_SKIPPED, ERR_NO_SAMPLES
 */
export async function openClips<Item>(
  library: ClipLibrary,
  order: ClipOrder<Item>,
  options: OpenClipsOptions,
): Promise<OpenedClips<Item>> {
  const clips = [...new Map(order.items.flatMap(order.clipsOf).map((clip) => [clip.id, clip])).values()];
  const reader = openReader(library, options);
  try {
    const probe = options.settings.mode === "auto" ? await probeClips(library, clips, reader, options) : null;
    if (probe === null ? options.settings.mode === "memory" : probe.isSmall) {
      const held = await holdClips(library, order, clips, { ...options, reader, known: probe?.known ?? new Map() });
      reader[Symbol.dispose]();
      return held;
    }
    return streamClips(library, order, { ...options, reader, numClips: clips.length });
  } catch (error) {
    reader[Symbol.dispose]();
    throw error;
  }
}

function openReader({ model }: ClipLibrary, { settings, file, root, progress }: OpenClipsOptions): ClipReader {
  const { cache, cacheGigabytes, workers, decodeSeconds: maxSeconds } = settings;
  return new ClipReader(
    {
      ...{ root: root ?? dirname(file), fit: model.fitting, fitKey: model.fitKey, workers, maxSeconds },
      cache: cache === null ? null : { folder: resolve(cache), maxBytes: cacheGigabytes * 2 ** 30 },
    },
    (line) => progress.log(`warning: ${line}`),
  );
}

const numProbed = 8;

/** What reading a clip gave. */
type Known = ReadonlyMap<string, MediaClip | OppoError>;

/** Reads some clips, spread over the corpus, and concludes from them how much memory all would take with their rows. */
async function probeClips(
  library: ClipLibrary,
  clips: readonly ClipFiles[],
  reader: ClipReader,
  { settings, interrupt }: OpenClipsOptions,
): Promise<{ readonly isSmall: boolean; readonly known: Known }> {
  const count = Math.min(numProbed, clips.length);
  const probed = Array.from({ length: count }, (_, i) => clips[Math.floor((i * clips.length) / count)]!);
  const results = await untilAborted(
    Promise.all(probed.map((clip) => reader.read(clip).catch((error: OppoError) => error))),
    interrupt.signal,
  );
  const known = new Map(probed.map(({ id }, i) => [id, results[i]!]));
  let bytes = 0;
  let numRead = 0;
  for (const clip of results) {
    if (clip instanceof Error) continue;
    bytes += clipBytes(clip) + rowBytes(library, clip);
    numRead++;
  }
  // Of a corpus that cannot be read at all, a stream finds that out soonest.
  const isSmall = numRead > 0 && (bytes / numRead) * clips.length <= settings.memoryGigabytes * 2 ** 30;
  return { isSmall, known };
}

/** Of its rows; 0 where the towers cannot take it, which is found again when it is read. */
function rowBytes(library: ClipLibrary, clip: MediaClip): number {
  const sample = { id: "probe" };
  try {
    library.add([{ sample, clip }], 1);
    return library.bytesOf(sample.id) - clipBytes(clip);
  } catch {
    return 0;
  } finally {
    library.retain(new Set());
  }
}

interface Holding extends OpenClipsOptions {
  readonly reader: ClipReader;
  readonly known: Known;
}

async function holdClips<Item>(
  library: ClipLibrary,
  order: ClipOrder<Item>,
  clips: readonly ClipFiles[],
  { reader, known, settings, ...options }: Holding,
): Promise<OpenedClips<Item>> {
  const { progress, interrupt } = options;
  const read = async (clip: ClipFiles): Promise<MediaClip> => {
    const result = known.get(clip.id) ?? (await untilAborted(reader.read(clip), interrupt.signal));
    if (result instanceof Error) throw result;
    return result;
  };
  const { fitted, skipped } = await fitCorpus(library.model, clips, { ...options, read, atOnce: 2 * settings.workers });
  const stage = progress.stage("encoding", fitted.length);
  for (const [i, clip] of fitted.entries()) {
    library.add([clip], 1);
    stage.update(i + 1);
    await interrupt.safePoint();
  }
  stage.finish();
  const noticed = noticedOf(fitted);
  const times = new TimeWatch(library.model);
  for (const { clip } of fitted) times.add(clip);
  for (const line of times.lines()) progress.log(`${options.file}: ${line}`);
  return {
    ...heldClips(library, order),
    account: () => ({ total: clips.length, skipped, noticed }),
    [Symbol.dispose]() {},
  };
}

/** Skips named in the log; skipped.jsonl has all of them. */
const maxNamedSkips = 3;

interface Streaming extends OpenClipsOptions {
  readonly reader: ClipReader;
  readonly numClips: number;
}

function streamClips<Item>(
  library: ClipLibrary,
  order: ClipOrder<Item>,
  { reader, numClips, settings, file, maxSkippedFraction, maxPromptTokens, skipFile, progress, interrupt }: Streaming,
): OpenedClips<Item> {
  const { workers, ahead, aheadMegabytes, cache } = settings;
  progress.log(
    `${file}: ${numClips} clips are streamed: read by ${workers} decoders, ${ahead} steps and at most ${formatBytes(aheadMegabytes * 2 ** 20)} ahead${cache === null ? "" : `, kept in ${cache}`}`,
  );
  const skips = new SkipLog(skipFile ?? null);
  const times = new TimeWatch(library.model);
  let numNamed = 0;
  const stream = new ClipStream(library, order, {
    ...{ ahead, skips, maxSkippedFraction, place: file, signal: interrupt.signal },
    maxAheadBytes: aheadMegabytes * 2 ** 20,
    read: (clip) => reader.read(clip),
    check: (clip) => requireReadable(library.model, clip, maxPromptTokens ?? null),
    onClip: (clip) => times.add(clip),
    onSkip: (id, reason) => {
      if (numNamed++ < maxNamedSkips) progress.log(`${file}: clip skipped: ${id}: ${reason}`);
      else if (numNamed === maxNamedSkips + 1) progress.log(`${file}: more clips skipped: see ${skipFile ?? "below"}`);
    },
  });
  return {
    library,
    ready: (step) => stream.ready(step),
    more: (step, items) => stream.more(step, items),
    upcoming: (step) => stream.upcoming(step),
    account: () => ({ total: numClips, skipped: skips.skipped, noticed: stream.noticed }),
    [Symbol.dispose]() {
      stream[Symbol.dispose]();
      reader[Symbol.dispose]();
      for (const [i, line] of noticeLines(stream.noticed).entries()) {
        progress.log(i === 0 ? `${file}: clips that ${line}` : line);
      }
      for (const line of times.lines()) progress.log(`${file}: ${line}`);
    },
  };
}
