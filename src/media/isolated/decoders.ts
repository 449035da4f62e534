// A few decoder processes for everything that this program reads of other people's media: started when they are needed,
// reused, replaced when they end. Requests beyond wait in their order.

import { MediaError } from "../media-error.ts";
import { type DecoderLimits, DecoderProcess } from "./decoder-process.ts";
import type { DecodeRequest, DecodeResults } from "./request.ts";

export const defaultDecoderLimits: DecoderLimits = { maxBytes: 2 ** 31, maxCpuSeconds: 600, maxSeconds: 1200 };

/** A second one for the second core; more would only share it. */
const maxProcesses = 2;

export class Decoders implements Disposable {
  readonly #limits: DecoderLimits;
  readonly #maxProcesses: number;
  readonly #idle: DecoderProcess[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #busy = new Set<DecoderProcess>();
  #numBusy = 0;

  constructor(limits: DecoderLimits = defaultDecoderLimits, count = maxProcesses) {
    this.#limits = limits;
    this.#maxProcesses = count;
  }

  /** Of the process that would take the next request, where there is one. */
  get idlePid(): number | undefined {
    return this.#idle.at(-1)?.pid;
  }

  /** @throws MediaError, OppoError as decoding does; the signal's reason once it aborts */
  async run<R extends DecodeRequest>(request: R, signal?: AbortSignal): Promise<DecodeResults[R["kind"]]> {
    signal?.throwIfAborted();
    while (this.#numBusy >= this.#maxProcesses) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#numBusy++;
    try {
      signal?.throwIfAborted();
      return (await this.#runIn(this.#take(), request, signal)) as DecodeResults[R["kind"]];
    } finally {
      this.#numBusy--;
      this.#waiting.shift()?.();
    }
  }

  async #runIn(
    decoder: DecoderProcess,
    request: DecodeRequest,
    signal: AbortSignal | undefined,
  ): Promise<DecodeResults[keyof DecodeResults]> {
    const isFresh = decoder.isFresh;
    this.#busy.add(decoder);
    try {
      return await decoder.run(request, signal);
    } catch (error) {
      // What files before it left in the process, or somebody else's signal, is not held against this one.
      const isSuspect = error instanceof MediaError && ["ERR_MEDIA_CRASH", "ERR_MEDIA_MEMORY"].includes(error.code);
      if (isFresh || !isSuspect) throw error;
      decoder.end();
      return await this.#runIn(new DecoderProcess(this.#limits), request, signal);
    } finally {
      this.#busy.delete(decoder);
      if (!decoder.isGone) this.#idle.push(decoder);
    }
  }

  #take(): DecoderProcess {
    for (;;) {
      const known = this.#idle.pop();
      if (known === undefined) return new DecoderProcess(this.#limits);
      if (!known.isGone) return known;
    }
  }

  /** Ends every process; what runs in one fails as if it had ended by itself. */
  [Symbol.dispose](): void {
    for (const decoder of [...this.#idle, ...this.#busy]) decoder.end();
  }
}
