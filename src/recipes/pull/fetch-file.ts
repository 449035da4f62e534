// One file from a hub to the disk: it goes on from what is there, is hashed as it comes, and takes its name only when size
// and hash are right. A connection that breaks is taken up again; one that stands still is given up and taken up again.
import { createHash, type Hash } from "node:crypto";
import { closeSync, createReadStream, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { OppoError } from "../../error.ts";
import type { Hub, HubFile } from "../../hub/hub-client.ts";
import { diskFullError, isDiskFull } from "../../run/disk.ts";

export interface FileJob {
  readonly hub: Hub;
  readonly repository: string;
  readonly commit: string;
  readonly file: HubFile;
  /** Where it grows; kept when the download is stopped. */
  readonly partial: string;
  readonly target: string;
  readonly signal: AbortSignal;
  /** Bytes that are there, also those of an earlier run. */
  readonly onBytes: (done: number) => void;
  readonly patience?: Patience;
}

export interface Patience {
  /** Breaks in a row without a new byte in between. */
  readonly maxBreaks: number;
  readonly pauseMilliseconds: number;
  /** Without a byte. */
  readonly stallMilliseconds: number;
}

const defaultPatience: Patience = { maxBreaks: 5, pauseMilliseconds: 1000, stallMilliseconds: 60_000 };
/** A file that is wrong the second time is wrong on the hub, or on the way. */
const maxWholeTries = 2;

/** @throws OppoError ERR_HUB_CHECKSUM, ERR_HUB and its siblings, ERR_DISK_FULL */
export async function fetchFile(job: FileJob): Promise<void> {
  const { file, partial, target, repository } = job;
  for (let numTries = 1; ; numTries++) {
    if ((await fill(job)) === file.hash.hex) {
      renameSync(partial, target);
      return;
    }
    rmSync(partial, { force: true });
    if (numTries < maxWholeTries) continue;
    throw new OppoError(
      "ERR_HUB_CHECKSUM",
      `${repository}/${file.path}: expected the ${file.hash.kind === "git" ? "git hash" : "SHA-256"} ${file.hash.hex}, got another one, twice. ` +
        "The download is damaged or the file is not the listed one; run the same again, or use another mirror.",
    );
  }
}

/** The hash of a file that is there already, or null when it is none or of another size. */
export async function hashOf(path: string, file: HubFile): Promise<string | null> {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats?.isFile() || stats.size !== file.size) return null;
  const hash = startHash(file);
  await addFile(hash, path);
  return hash.digest("hex");
}

/** Completes the partial file. @returns its hash */
async function fill(job: FileJob): Promise<string> {
  const { file, partial, onBytes, patience = defaultPatience, signal } = job;
  const hash = startHash(file);
  let done = statSync(partial, { throwIfNoEntry: false })?.size ?? 0;
  if (done > file.size) {
    rmSync(partial);
    done = 0;
  }
  if (done > 0) await addFile(hash, partial);
  const handle = openSync(partial, "a");
  try {
    for (let numBreaks = 0; done < file.size; ) {
      onBytes(done);
      const before = done;
      const problem = await copy(job, done, patience, (bytes) => {
        writeAll(handle, bytes, partial);
        hash.update(bytes);
        done += bytes.length;
        onBytes(done);
      });
      if (problem === null) continue;
      numBreaks = done > before ? 1 : numBreaks + 1;
      if (numBreaks > patience.maxBreaks) throw broken(job, problem, done);
      await sleep(patience.pauseMilliseconds, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  onBytes(done);
  return hash.digest("hex");
}

/** Reads on until the end or a break. @returns what broke it, or null */
async function copy(
  { hub, repository, commit, file, signal }: FileJob,
  offset: number,
  { stallMilliseconds }: Patience,
  take: (bytes: Uint8Array) => void,
): Promise<string | null> {
  const stream = await hub.open(repository, commit, file, offset);
  const reader = stream.getReader();
  let left = file.size - offset;
  try {
    while (left > 0) {
      const { done, value } = await withLimit(reader.read(), stallMilliseconds, signal);
      if (done) return `the end ${left} bytes early`;
      if (value.length > left) return `${value.length - left} bytes too many`;
      left -= value.length;
      take(value);
    }
    return null;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof OppoError) throw error;
    // The hub's client rejects with the bare message of an error.
    return error instanceof Error ? error.message : String(error);
  } finally {
    // What is left of a broken or a longer body is not waited for.
    reader.cancel().catch(() => undefined);
  }
}

async function withLimit<T>(promise: Promise<T>, milliseconds: number, signal: AbortSignal): Promise<T> {
  const timer = new AbortController();
  const limit = sleep(milliseconds, undefined, { signal: AbortSignal.any([timer.signal, signal]) }).then(
    () => Promise.reject(new Error(`nothing for ${milliseconds / 1000} s`)),
    () => (signal.aborted ? Promise.reject(signal.reason) : new Promise<never>(() => undefined)),
  );
  try {
    return await Promise.race([promise, limit]);
  } finally {
    timer.abort();
  }
}

function writeAll(handle: number, bytes: Uint8Array, path: string): void {
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(handle, bytes, done);
  } catch (error) {
    throw isDiskFull(error) ? diskFullError(path, "a file of the model", error) : error;
  }
}

/** git hashes a header before the content. */
function startHash({ hash, size }: HubFile): Hash {
  return hash.kind === "sha256" ? createHash("sha256") : createHash("sha1").update(`blob ${size}\0`);
}

async function addFile(hash: Hash, path: string): Promise<void> {
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
}

function broken({ repository, file }: FileJob, problem: string, done: number): OppoError {
  return new OppoError(
    "ERR_HUB",
    `${repository}/${file.path}: expected ${file.size} bytes, got ${problem} after ${done}. What is there is kept; run the same again to go on.`,
  );
}
