// A folder of files by key that never grows past a number of bytes: the file that was read longest ago goes first. Files appear
// in one piece, several processes may share the folder, and what is in it can be made again.
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sweepTemporaries, temporaryBeside } from "../temporary-files.ts";

/** Making room goes on to here, so that a full folder is not looked through for every file. */
const fullShare = 0.95;

export class BoundedFolder {
  readonly #folder: string;
  readonly #extension: string;
  readonly #maxBytes: number;
  #numBytes: number;
  /** One after another: two that make room at once would remove twice as much. */
  #writing: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, extension: string, maxBytes: number, numBytes: number) {
    this.#folder = folder;
    this.#extension = extension;
    this.#maxBytes = maxBytes;
    this.#numBytes = numBytes;
  }

  /** @param extension of the files that are looked at; others in the folder are left alone. Example: ".frames" */
  static async open(folder: string, extension: string, maxBytes: number): Promise<BoundedFolder> {
    await mkdir(folder, { recursive: true });
    sweepTemporaries(folder);
    const files = await filesIn(folder, extension);
    const numBytes = files.reduce((sum, { bytes }) => sum + bytes, 0);
    return new BoundedFolder(folder, extension, maxBytes, numBytes);
  }

  /** null where there is no such file. */
  async get(key: string): Promise<Buffer | null> {
    const path = this.#path(key);
    const bytes = await readFile(path).catch(() => null);
    const now = new Date();
    // By this time the next file to go is chosen.
    if (bytes !== null) await utimes(path, now, now).catch(() => undefined);
    return bytes;
  }

  async remove(key: string): Promise<void> {
    await rm(this.#path(key), { force: true });
  }

  /** What is larger than the whole folder may be is not kept. @throws the system's error where the disk does not take it */
  put(key: string, parts: readonly Uint8Array[]): Promise<void> {
    const written = this.#writing.then(() => this.#write(key, parts));
    this.#writing = written.catch(() => undefined);
    return written;
  }

  async #write(key: string, parts: readonly Uint8Array[]): Promise<void> {
    const numBytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
    if (numBytes > fullShare * this.#maxBytes) return;
    if (this.#numBytes + numBytes > this.#maxBytes) await this.#makeRoom(numBytes);
    const path = this.#path(key);
    const temporary = temporaryBeside(path);
    try {
      await writeFile(temporary, parts);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    this.#numBytes += numBytes;
  }

  /** Counts anew: others may write here, too. */
  async #makeRoom(wanted: number): Promise<void> {
    const files = (await filesIn(this.#folder, this.#extension)).sort((left, right) => left.readAt - right.readAt);
    let sum = files.reduce((total, { bytes }) => total + bytes, 0);
    for (const { path, bytes } of files) {
      if (sum + wanted <= fullShare * this.#maxBytes) break;
      await rm(path, { force: true });
      sum -= bytes;
    }
    this.#numBytes = sum;
  }

  #path(key: string): string {
    return join(this.#folder, key + this.#extension);
  }
}

async function filesIn(folder: string, extension: string): Promise<{ path: string; bytes: number; readAt: number }[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(extension));
  const files = names.map(async (name) => {
    const path = join(folder, name);
    const stats = await stat(path).catch(() => null);
    return stats === null ? [] : [{ path, bytes: stats.size, readAt: stats.mtimeMs }];
  });
  return (await Promise.all(files)).flat();
}
