// Clips as a stream: decoded ahead along the order of the run, encoded by the towers when their step comes, and gone after it.
// What is held depends on the size of a batch and on a bound in bytes, not on the number of clips.
import type { ClipFiles } from "../../data/conversations/conversation.ts";
import { OppoError } from "../../error.ts";
import type { MediaClip } from "../../media/clip.ts";
import { type ClipLibrary, clipBytes } from "./clip-library.ts";
import type { NoticedClip } from "./clip-notices.ts";
import { type ClipOrder, type OpenClipSource, readableBatch, readableOf, type UpcomingItem } from "./clip-source.ts";
import type { SkipLog } from "./skip-log.ts";

export interface StreamOptions {
  /** Reads a clip as the model looks at it; requests are answered in their order, some at once. @throws OppoError */
  readonly read: (clip: ClipFiles) => Promise<MediaClip>;
  /** Throws for a clip that the model cannot take. */
  readonly check: (fitted: MediaClip) => void;
  /** Steps whose clips are read ahead of time. */
  readonly ahead: number;
  /** Bound on the clips of those steps. */
  readonly maxAheadBytes: number;
  readonly skips: SkipLog;
  readonly maxSkippedFraction: number;
  /** Names the corpus in errors. */
  readonly place: string;
  /** Told of every clip that is left out. */
  readonly onSkip: (id: string, reason: string) => void;
  /** Told of every clip that is shown for the first time. */
  readonly onClip?: (clip: MediaClip) => void;
  readonly signal: AbortSignal;
}

/** A clip that was asked for. */
interface Request {
  readonly outcome: Promise<MediaClip | OppoError>;
  /** null: not known yet. */
  bytes: number | null;
}

/** Of a clip, before one was seen. */
const assumedBytes = 2 ** 23;

export class ClipStream<Item> implements OpenClipSource<Item> {
  readonly library: ClipLibrary;
  readonly noticed: NoticedClip[] = [];
  readonly #order: ClipOrder<Item>;
  readonly #options: StreamOptions;
  readonly #numClips: number;
  readonly #requests = new Map<string, Request>();
  readonly #shown = new Set<string>();
  /** Of later steps, still to be asked for. */
  #wanted: ClipFiles[] = [];
  #largest = 0;
  #isClosed = false;

  /** @param library gets the clips of the present step, and loses all others */
  constructor(library: ClipLibrary, order: ClipOrder<Item>, options: StreamOptions) {
    this.library = library;
    this.#order = order;
    this.#options = options;
    this.#numClips = new Set(order.items.flatMap((item) => order.clipsOf(item).map(({ id }) => id))).size;
  }

  async ready(step: number): Promise<readonly Item[]> {
    const { steps } = this.#order;
    const now = this.#clipsAt(step);
    this.library.retain(new Set(now.map(({ id }) => id)));
    const later = Array.from({ length: this.#options.ahead }, (_, i) => step + 1 + i).filter((at) => at < steps);
    this.#wanted = later.flatMap((at) => this.#clipsAt(at));
    this.#forgetOthers([...now, ...this.#wanted]);
    for (const clip of now) if (!this.#isAtHand(clip, step)) this.#request(clip);
    this.#requestAhead();
    return await readableBatch(this.#order, step, (clip) => this.#fetch(clip, step));
  }

  async more(step: number, items: readonly Item[]): Promise<readonly Item[]> {
    const { clipsOf } = this.#order;
    for (const clip of items.flatMap((item) => clipsOf(item))) if (!this.#isAtHand(clip, step)) this.#request(clip);
    return await readableOf(items, clipsOf, (clip) => this.#fetch(clip, step));
  }

  async upcoming(step: number): Promise<readonly UpcomingItem<Item>[]> {
    const { signal, skips } = this.#options;
    const found: UpcomingItem<Item>[] = [];
    for (const item of this.#order.batchAt(step)) {
      const clips: MediaClip[] = [];
      const wanted = this.#order.clipsOf(item);
      for (const clip of wanted) {
        if (this.library.has(clip.id)) clips.push(this.library.fitted(clip.id));
        else if (!skips.isSkipped(clip.id, step)) {
          // It stays asked for: its step takes what was read.
          const outcome = await untilAborted(this.#request(clip).outcome, signal);
          if (!(outcome instanceof OppoError)) clips.push(outcome);
        }
      }
      if (clips.length === wanted.length) found.push({ item, clips });
    }
    return found;
  }

  #clipsAt(step: number): ClipFiles[] {
    return this.#order.batchAt(step).flatMap((item) => this.#order.clipsOf(item));
  }

  /** Whether it needs no reading: it is there, or will not be. */
  #isAtHand({ id }: ClipFiles, step: number): boolean {
    return this.library.has(id) || this.#options.skips.isSkipped(id, step);
  }

  #request(clip: ClipFiles): Request {
    const known = this.#requests.get(clip.id);
    if (known !== undefined) return known;
    const request: Request = { outcome: this.#read(clip), bytes: null };
    this.#requests.set(clip.id, request);
    // Whoever waits for it hears of a fault; nobody does where the run has ended.
    request.outcome.then(
      (outcome) => {
        request.bytes = outcome instanceof OppoError ? 0 : clipBytes(outcome);
        this.#largest = Math.max(this.#largest, request.bytes);
        this.#requestAhead();
      },
      () => undefined,
    );
    return request;
  }

  async #read(clip: ClipFiles): Promise<MediaClip | OppoError> {
    try {
      const fitted = await this.#options.read(clip);
      this.#options.check(fitted);
      return fitted;
    } catch (error) {
      if (error instanceof OppoError) return error;
      throw error;
    }
  }

  /** Asks for clips of later steps, as many as fit if each is as large as the largest so far. */
  #requestAhead(): void {
    const expected = this.#largest === 0 ? assumedBytes : this.#largest;
    let bytes = expected;
    for (const request of this.#requests.values()) bytes += request.bytes ?? expected;
    while (!this.#isClosed && this.#wanted.length > 0 && bytes <= this.#options.maxAheadBytes) {
      const clip = this.#wanted.shift()!;
      if (this.#requests.has(clip.id) || this.#isAtHand(clip, Number.POSITIVE_INFINITY)) continue;
      this.#request(clip);
      bytes += expected;
    }
  }

  /** What no coming step asks for: the order was left, as by a batch that another one stood in for. */
  #forgetOthers(clips: readonly ClipFiles[]): void {
    const ids = new Set(clips.map(({ id }) => id));
    for (const id of this.#requests.keys()) if (!ids.has(id)) this.#requests.delete(id);
  }

  /** Waits for a clip and encodes it. @returns false: it is left out */
  async #fetch(clip: ClipFiles, step: number): Promise<boolean> {
    const { id } = clip;
    const { skips, signal } = this.#options;
    if (this.library.has(id)) return true;
    if (skips.isSkipped(id, step)) return false;
    const outcome = await untilAborted(this.#request(clip).outcome, signal);
    this.#requests.delete(id);
    if (outcome instanceof OppoError) {
      if (skips.skip(id, outcome.message, step)) this.#options.onSkip(id, outcome.message);
    } else {
      skips.read(id);
      this.#show(id, outcome);
    }
    skips.refuseTooMany(this.#options.place, this.#numClips, this.#options.maxSkippedFraction);
    return this.library.has(id);
  }

  #show(id: string, clip: MediaClip): void {
    this.library.add([{ sample: { id }, clip }], 1);
    this.#requestAhead();
    if (this.#shown.has(id)) return;
    this.#shown.add(id);
    if (clip.notices !== undefined) this.noticed.push({ id, notices: clip.notices });
    this.#options.onClip?.(clip);
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#requests.clear();
    this.#wanted = [];
  }
}

/** @throws the signal's reason at once when it aborts */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
