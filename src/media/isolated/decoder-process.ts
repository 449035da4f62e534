// One decoder's process, seen from its parent: started for the first request, kept for the next ones, ended at its deadline
// or when nobody waits any more. Its end is told as an error of the file that it had.

import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { OppoError } from "../../error.ts";
import { makeTemporaryFolder } from "../../temporary-files.ts";
import { MediaError, type MediaErrorCode, outOfMemory } from "../media-error.ts";
import type { DecodeReply, DecodeRequest, DecodeResults } from "./request.ts";

export interface DecoderLimits {
  /** Of data that the process allocates, and of what is resident. */
  readonly maxBytes: number;
  /** Of processor time per request. */
  readonly maxCpuSeconds: number;
  /** From request to answer, whatever it waits for. */
  readonly maxSeconds: number;
}

const kibibyte = 1024;
const millisecondsPerSecond = 1000;
const tailBytes = 2000;

interface Running {
  readonly path: string;
  readonly resolve: (value: DecodeResults[keyof DecodeResults]) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
  /** Set where we end the process ourselves. */
  cause: unknown;
}

export class DecoderProcess {
  readonly #limits: DecoderLimits;
  readonly #folder: string;
  readonly #child: ChildProcess;
  #running: Running | null = null;
  #tail = "";
  #isGone = false;
  #isFresh = true;
  readonly #onExit = () => this.end();

  constructor(limits: DecoderLimits) {
    this.#limits = limits;
    this.#folder = makeTemporaryFolder("decode");
    this.#child = start(limits, this.#folder);
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#tail = (this.#tail + text).slice(-tailBytes);
    });
    this.#child.on("message", (reply: DecodeReply) => this.#take(reply));
    this.#child.on("error", (error) => this.#ended(error.message));
    this.#child.on("exit", (code, signal) => this.#ended(signal ?? `exit code ${code}`));
    process.on("exit", this.#onExit);
    this.#release();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** It has had no file yet. */
  get isFresh(): boolean {
    return this.#isFresh;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** One at a time. @throws MediaError, OppoError as decoding does; the signal's reason */
  run(request: DecodeRequest, signal: AbortSignal | undefined): Promise<DecodeResults[keyof DecodeResults]> {
    const path = request.kind === "frames" ? request.paths[0]! : request.path;
    const { maxSeconds } = this.#limits;
    this.#isFresh = false;
    return new Promise((resolve, reject) => {
      const end = (cause: unknown) => {
        if (this.#running !== null) this.#running.cause = cause;
        this.end();
      };
      const timer = setTimeout(() => end(tooSlow(path, `${maxSeconds} s`)), maxSeconds * millisecondsPerSecond);
      const onAbort = () => end(signal?.reason);
      signal?.addEventListener("abort", onAbort);
      const settle =
        <T>(how: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", onAbort);
          this.#running = null;
          this.#release();
          how(value);
        };
      this.#running = { path, resolve: settle(resolve), reject: settle(reject), timer, cause: null };
      this.#hold();
      if (this.#isGone) this.#ended("it was gone before");
      else this.#child.send(request, () => undefined);
    });
  }

  /** While nothing runs, an idle process keeps no program from ending. */
  #release(): void {
    this.#child.unref();
    this.#child.channel?.unref();
    (this.#child.stderr as unknown as { unref(): void }).unref();
  }

  #hold(): void {
    this.#child.ref();
    this.#child.channel?.ref();
  }

  #take(reply: DecodeReply): void {
    if (this.#running === null) return;
    const { resolve, reject } = this.#running;
    if (reply.kind === "result") resolve(reply.value);
    else if (reply.kind === "fault") reject(new Error(`decoder: ${reply.message}`));
    else reject(asError(reply));
  }

  /** Ends the process at once and leaves nothing of it. */
  end(): void {
    this.#isGone = true;
    process.off("exit", this.#onExit);
    this.#child.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #ended(how: string): void {
    this.end();
    if (this.#running === null) return;
    const { path, reject, cause } = this.#running;
    reject(cause ?? this.#asMediaError(path, how));
  }

  #asMediaError(path: string, how: string): MediaError {
    if (how === "SIGXCPU") return tooSlow(path, `${this.#limits.maxCpuSeconds} s of processor time`);
    const isMemory = how === "SIGKILL" || /out of memory|allocation failed|bad_alloc/i.test(this.#tail);
    if (isMemory) return new MediaError("ERR_MEDIA_MEMORY", path, outOfMemory(`${this.#limits.maxBytes} bytes`));
    const last = this.#tail.trim().split("\n").at(-1);
    return new MediaError(
      "ERR_MEDIA_CRASH",
      path,
      `expected to decode, got the end of the decoder's process (${how}${last ? `: ${last}` : ""}). Make the file again with another program.`,
    );
  }
}

function tooSlow(path: string, limit: string): MediaError {
  return new MediaError(
    "ERR_MEDIA_TIME",
    path,
    `expected to decode within ${limit}, got no end. Cut the file or scale it down.`,
  );
}

function asError({ code, message, file }: Extract<DecodeReply, { kind: "refused" }>): OppoError {
  if (file === null) return new OppoError(code, message);
  const prefix = `${file}: `;
  const problem = message.startsWith(prefix) ? message.slice(prefix.length) : message;
  return new MediaError(code as MediaErrorCode, file, problem);
}

/** The shell sets the limit of data and becomes the process; systems that know none go by the resident memory alone. */
function start({ maxBytes, maxCpuSeconds }: DecoderLimits, folder: string): ChildProcess {
  const script = fileURLToPath(new URL("./decoder.js", import.meta.url));
  const limit = `ulimit -d ${Math.floor(maxBytes / kibibyte)} 2>/dev/null; ulimit -c 0 2>/dev/null`;
  const shell = `${limit}; TMPDIR="$0"; export TMPDIR; exec "$@"`;
  const command = [process.execPath, script, ...[process.pid, folder, maxBytes, maxCpuSeconds].map(String)];
  return spawn("/bin/sh", ["-c", shell, folder, ...command], {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    serialization: "advanced",
  });
}
