// What the towers made of media that were sent before: clients ask many questions about one clip, and the towers are the
// dear part of them. Bounded in bytes; the least recently used go first, never during a batch.
import type { ClipFeatures, ClipRows, ClipShape, OmniModel } from "../../../models/omni-model.ts";
import { byteSize, keep, noGrad, scope, type Tensor } from "../../../tensor/index.ts";

interface KnownMedium {
  readonly shape: ClipShape;
  readonly rows: ClipRows;
  readonly bytes: number;
}

/** Enough to fill the matrix products; more only takes memory. */
const mediaPerCall = 8;

/** A picture of the largest size; ordinary clips are far below. */
const maxTokensPerCall = 1 << 14;
const maxWaitingTokens = 1 << 15;

interface WaitingMedium {
  readonly features: ClipFeatures;
  readonly numTokens: number;
}

export class MediaRows implements Disposable {
  readonly #model: OmniModel;
  readonly #maxBytes: number;
  /** In the order of use. */
  readonly #known = new Map<string, KnownMedium>();
  readonly #waiting = new Map<string, WaitingMedium>();
  /** Of a prompt without a medium. */
  #numPromptTokens: number | null = null;

  constructor(model: OmniModel, maxBytes: number) {
    this.#model = model;
    this.#maxBytes = maxBytes;
  }

  /** The sizes of a medium; `decode` is asked for it only where it is not known. */
  async shapeOf(key: string, decode: () => Promise<ClipFeatures>): Promise<ClipShape> {
    const known = this.#known.get(key);
    if (known !== undefined) {
      this.#known.delete(key);
      this.#known.set(key, known);
      return known.shape;
    }
    const waiting = this.#waiting.get(key);
    if (waiting !== undefined) return this.#model.shapeOf(waiting.features);
    const features = await decode();
    const shape = this.#model.shapeOf(features);
    this.#waiting.set(key, { features, numTokens: this.numTokens(shape) });
    // What towers read is many times what they make of it: not that of every waiting request is held at once.
    const numWaiting = [...this.#waiting.values()].reduce((sum, { numTokens }) => sum + numTokens, 0);
    if (numWaiting > maxWaitingTokens) this.encodeWaiting();
    return shape;
  }

  /** What a medium of this size takes of a prompt. */
  numTokens(shape: ClipShape): number {
    const lengthOf = (one: ClipShape) => this.#model.promptTokens("", one).ids.length;
    this.#numPromptTokens ??= lengthOf({ video: null, audio: null });
    return lengthOf(shape) - this.#numPromptTokens;
  }

  /** Runs the towers over what shapeOf has decoded since the last time. */
  encodeWaiting(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    let call: [key: string, features: ClipFeatures][] = [];
    let numInCall = 0;
    for (const [key, { features, numTokens }] of waiting) {
      const isFull = call.length >= mediaPerCall || numInCall + numTokens > maxTokensPerCall;
      if (isFull && call.length > 0) {
        this.#encode(call);
        call = [];
        numInCall = 0;
      }
      call.push([key, features]);
      numInCall += numTokens;
    }
    if (call.length > 0) this.#encode(call);
  }

  /** Lets go of what was decoded for jobs that will not run. @param needed keys that others wait for */
  forgetWaiting(needed: ReadonlySet<string>): void {
    for (const key of this.#waiting.keys()) if (!needed.has(key)) this.#waiting.delete(key);
  }

  #encode(waiting: readonly (readonly [key: string, features: ClipFeatures])[]): void {
    scope(() => {
      const rows = noGrad(() => this.#model.encode(waiting.map(([, features]) => features)));
      waiting.forEach(([key, features], i) => {
        const shape = this.#model.shapeOf(features);
        const own = kept(rows[i]!);
        this.#known.set(key, { shape, rows: own, bytes: bytesOf(own.video) + bytesOf(own.audio) });
      });
    });
  }

  /** Borrowed until `trim`. Only for keys that shapeOf was asked for, after encodeWaiting. */
  rows(key: string): ClipRows {
    return this.#known.get(key)!.rows;
  }

  /** Lets go of the oldest until the rest fits. */
  trim(): void {
    let bytes = [...this.#known.values()].reduce((sum, known) => sum + known.bytes, 0);
    for (const [key, known] of this.#known) {
      if (bytes <= this.#maxBytes) return;
      bytes -= known.bytes;
      known.rows[Symbol.dispose]();
      this.#known.delete(key);
    }
  }

  [Symbol.dispose](): void {
    for (const { rows } of this.#known.values()) rows[Symbol.dispose]();
    this.#known.clear();
    this.#waiting.clear();
  }
}

/** Copies, since the towers' rows are parts of one large tensor, which would stay as long as any of them. */
function kept({ video, audio }: ClipRows): ClipRows {
  const own = {
    video: video === null ? null : keep(video.clone()),
    audio: audio === null ? null : keep(audio.clone()),
  };
  return {
    ...own,
    [Symbol.dispose]() {
      own.video?.dispose();
      own.audio?.dispose();
    },
  };
}

function bytesOf(tensor: Tensor | null): number {
  return tensor === null ? 0 : tensor.shape.reduce((size, side) => size * side, 1) * byteSize(tensor.dtype);
}
