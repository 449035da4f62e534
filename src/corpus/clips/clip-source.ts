// Where training gets its clips from: asked for a step, it has the clips of that step in its library and says which items of
// the batch can be shown. What cannot be read drops out of its batch, wherever the clips come from, so that holding a
// corpus and streaming it are the same run.
import type { ClipFiles } from "../../data/conversations/conversation.ts";
import { OppoError } from "../../error.ts";
import type { MediaClip } from "../../media/clip.ts";
import type { ClipLibrary } from "./clip-library.ts";

/** What is learnt from, and in which order. An item is a sample, or a conversation about several clips. */
export interface ClipOrder<Item> {
  readonly items: readonly Item[];
  readonly clipsOf: (item: Item) => readonly ClipFiles[];
  /** The items of a step: a function of the step alone, which a source may ask ahead of time. */
  readonly batchAt: (step: number) => readonly Item[];
  /** How many steps there are. */
  readonly steps: number;
}

/** An owner of its library. */
export interface ClipSource<Item> extends Disposable {
  /** Holds the clips of the step that was asked for last. */
  readonly library: ClipLibrary;
  /**
   * Waits until the clips of a step are in the library; those of earlier steps may go. An item with a clip that cannot be
   * read is left out; a batch that has no other gives way to the next one that has.
   * @returns what the step learns from, at least one item
   * @throws OppoError ERR_TOO_MANY_SKIPPED, ERR_NO_SAMPLES
   */
  ready(step: number): Promise<readonly Item[]>;
}

/** One that may be asked for what is not in the order. */
export interface OpenClipSource<Item> extends ClipSource<Item> {
  /**
   * Further items for the step that was asked for last, beside its own.
   * @returns those whose clips can be read; none of them may be
   * @throws OppoError ERR_TOO_MANY_SKIPPED
   */
  more(step: number, items: readonly Item[]): Promise<readonly Item[]>;
  /** What a later step will show, as far as it can be read, for whoever needs it before its time. The library keeps what it has. */
  upcoming(step: number): Promise<readonly UpcomingItem<Item>[]>;
}

/** An item of a later step with its clips. */
export interface UpcomingItem<Item> {
  readonly item: Item;
  readonly clips: readonly MediaClip[];
}

/** Items of the first batch from `step` on that has a readable one. @throws OppoError ERR_NO_SAMPLES when none has */
export async function readableBatch<Item>(
  { items, clipsOf, batchAt }: ClipOrder<Item>,
  step: number,
  isReadable: (clip: ClipFiles) => boolean | Promise<boolean>,
): Promise<readonly Item[]> {
  const seen = new Set<Item>();
  for (let at = step; ; at++) {
    const drawn = batchAt(at);
    const batch = await readableOf(drawn, clipsOf, isReadable);
    for (const item of drawn) seen.add(item);
    if (batch.length > 0) return batch;
    if (seen.size >= items.length) throw noClips(items.length);
  }
}

/** The items of which every clip can be read. */
export async function readableOf<Item>(
  items: readonly Item[],
  clipsOf: ClipOrder<Item>["clipsOf"],
  isReadable: (clip: ClipFiles) => boolean | Promise<boolean>,
): Promise<Item[]> {
  const readable: Item[] = [];
  for (const item of items) {
    let isWhole = true;
    for (const clip of clipsOf(item)) isWhole = (await isReadable(clip)) && isWhole;
    if (isWhole) readable.push(item);
  }
  return readable;
}

function noClips(numItems: number): OppoError {
  return new OppoError(
    "ERR_NO_SAMPLES",
    `clips: expected at least one of ${numItems} samples with clips that can be read, got none. skipped.jsonl says why.`,
  );
}

/** All clips that can be read are in the library already, which stays the caller's. */
export function heldClips<Item>(library: ClipLibrary, order: ClipOrder<Item>): OpenClipSource<Item> {
  return {
    library,
    async ready(step) {
      return await readableBatch(order, step, ({ id }) => library.has(id));
    },
    async more(_, items) {
      return await readableOf(items, order.clipsOf, ({ id }) => library.has(id));
    },
    async upcoming(step) {
      const shown = order.batchAt(step).filter((item) => order.clipsOf(item).every(({ id }) => library.has(id)));
      return shown.map((item) => ({ item, clips: order.clipsOf(item).map(({ id }) => library.fitted(id)) }));
    },
    [Symbol.dispose]() {},
  };
}
