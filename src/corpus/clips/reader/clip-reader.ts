// Clips of a corpus at a model's resolution, read by a thread with decoders of its own, from the cache on the disk where they
// are in it.
import { Worker } from "node:worker_threads";
import type { ClipFiles } from "../../../data/conversations/conversation.ts";
import { OppoError } from "../../../error.ts";
import type { MediaClip } from "../../../media/clip.ts";
import type { ReaderOptions, ReaderReply, ReaderRequest } from "./messages.ts";

interface Pending {
  readonly resolve: (clip: MediaClip) => void;
  readonly reject: (error: Error) => void;
}

/** Owner of the thread and its decoders' processes. */
export class ClipReader implements Disposable {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #onNotice: (line: string) => void;
  #numRequests = 0;
  #isGone = false;

  constructor(options: ReaderOptions, onNotice: (line: string) => void) {
    this.#onNotice = onNotice;
    this.#worker = new Worker(new URL("./reader-thread.js", import.meta.url), { workerData: options });
    this.#worker.on("message", (reply: ReaderReply) => this.#take(reply));
    this.#worker.on("error", (error) => this.#fail(error));
    this.#worker.on("exit", (code) => this.#fail(new Error(`the thread that reads clips ended (exit code ${code})`)));
    this.#worker.unref();
  }

  /** Any number at once; as many as there are decoders are under way. @throws OppoError why the clip cannot be read */
  read(clip: ClipFiles): Promise<MediaClip> {
    const number = this.#numRequests++;
    const { id, media, audio } = clip;
    return new Promise((resolve, reject) => {
      if (this.#isGone) throw new Error("the thread that reads clips has ended");
      this.#pending.set(number, { resolve, reject });
      // Somebody waits: the program must not end for want of anything else to do.
      this.#worker.ref();
      this.#post({ kind: "read", number, clip: { id, media, ...(audio === undefined ? {} : { audio }) } });
    });
  }

  #take(reply: ReaderReply): void {
    if (reply.kind === "notice") {
      this.#onNotice(reply.message);
      return;
    }
    const pending = this.#pending.get(reply.number);
    this.#pending.delete(reply.number);
    if (this.#pending.size === 0) this.#worker.unref();
    if (reply.kind === "clip") pending?.resolve(reply.clip);
    else if (reply.kind === "refused") pending?.reject(new OppoError(reply.code, reply.message));
    else pending?.reject(new Error(`reading clips: ${reply.message}`));
  }

  #fail(error: Error): void {
    this.#isGone = true;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  #post(request: ReaderRequest): void {
    this.#worker.postMessage(request);
  }

  [Symbol.dispose](): void {
    this.#post({ kind: "close" });
    this.#worker.unref();
    this.#fail(new Error("the thread that reads clips has ended"));
  }
}
