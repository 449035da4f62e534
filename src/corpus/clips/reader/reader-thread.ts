// The thread that reads clips while the main one computes: it owns the decoders' processes and the cache on the disk, and hands
// over finished clips. A step can be minutes of one synchronous computation, in which the main thread hears of nothing.
import { parentPort, workerData } from "node:worker_threads";
import type { ClipFiles } from "../../../data/conversations/conversation.ts";
import { type ErrorCode, OppoError } from "../../../error.ts";
import type { MediaClip } from "../../../media/clip.ts";
import { openDecoders } from "../../../media/isolated/index.ts";
import { decodeSample } from "../sample-clip.ts";
import { cacheKeyOf, FrameCache } from "./frame-cache.ts";
import type { ReaderOptions, ReaderReply, ReaderRequest } from "./messages.ts";

const { root, fit, fitKey, workers, maxSeconds, cache: place } = workerData as ReaderOptions;
const port = parentPort!;
const decoders = openDecoders(workers, maxSeconds);
let opened: Promise<FrameCache | null> | null = null;

port.on("message", (request: ReaderRequest) => {
  if (request.kind === "close") {
    decoders[Symbol.dispose]();
    process.exit(0);
  }
  void answer(request.number, request.clip);
});

async function answer(number: number, files: ClipFiles): Promise<void> {
  try {
    const clip = owned(await read(files));
    const reply: ReaderReply = { kind: "clip", number, clip };
    port.postMessage(reply, [clip.frames.buffer as ArrayBuffer, clip.waveform.buffer as ArrayBuffer]);
  } catch (error) {
    if (error instanceof OppoError) send({ kind: "refused", number, code: error.code, message: error.message });
    else
      send({ kind: "fault", number, message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
}

async function read(files: ClipFiles): Promise<MediaClip> {
  opened ??= place === null ? Promise.resolve(null) : FrameCache.open(place.folder, place.maxBytes).catch(withoutCache);
  const cache = await opened;
  const key = cache === null ? null : await cacheKeyOf(root, files, fitKey);
  const known = cache === null || key === null ? null : await cache.get(key);
  if (known !== null) return known;
  const clip = await decode(files).catch((error: unknown) => {
    if (error instanceof OppoError && wasEnded.includes(error.code)) return decode(files);
    throw error;
  });
  if (cache !== null && key !== null) {
    await cache.put(key, clip).catch((error: unknown) => {
      opened = Promise.resolve(withoutCache(error));
    });
  }
  return clip;
}

/** A decoder's process that ended by itself or was killed: by the file, or by somebody who wanted its memory. */
const wasEnded: readonly ErrorCode[] = ["ERR_MEDIA_CRASH", "ERR_MEDIA_MEMORY"];

function decode(files: ClipFiles): Promise<MediaClip> {
  return decodeSample(root, files, { fit }, undefined, decoders.decodeClip);
}

/** A disk that takes nothing more is no reason to stop: the clips are decoded again when they are needed again. */
function withoutCache(error: unknown): null {
  const reason = error instanceof Error ? error.message : String(error);
  send({ kind: "notice", message: `${place!.folder}: decoded clips are no longer kept (${reason})` });
  return null;
}

/** With arrays of their own, which can be handed over. */
function owned(clip: MediaClip): MediaClip {
  return { ...clip, frames: Uint8Array.from(clip.frames), waveform: Float32Array.from(clip.waveform) };
}

function send(reply: ReaderReply): void {
  port.postMessage(reply);
}
