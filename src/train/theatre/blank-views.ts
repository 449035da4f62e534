// Clips with one modality taken away entirely, as a cold start shows them: of which kinds is a choice. Black frames and
// silence are the same for every clip of one shape; other kinds are encoded once per clip and kept.
import { borrowedRows, type ClipLibrary } from "../../corpus/clips/clip-library.ts";
import type { Modality } from "../../media/clip.ts";
import { leavesOwn, maskKinds, numPartners, unitsKind } from "../../media/degrade/degrade.ts";
import type { ClipRows } from "../../models/omni-model.ts";
import { createRandom } from "../../random.ts";
import { deriveSeed } from "../../seeds.ts";

/** Neither a moment of its own nor anything of other clips. */
const leavesNothing = (kind: string) => !leavesOwn(kind) && numPartners(kind) === 0;

/** Kinds that leave nothing at full dose. `units`: black, silent. */
export const blankKinds: Readonly<Record<Modality, readonly string[]>> = {
  video: maskKinds.video.filter(leavesNothing),
  audio: maskKinds.audio.filter(leavesNothing),
};

/** Owner of the rows that it has encoded; the library must outlive it. */
export class BlankViews implements Disposable {
  readonly #library: ClipLibrary;
  readonly #kinds: Readonly<Record<Modality, readonly string[]>>;
  readonly #seed: number;
  readonly #rows = new Map<string, ClipRows>();

  /** @param kinds one at least per modality, each as likely as the others */
  constructor(library: ClipLibrary, kinds: Readonly<Record<Modality, readonly string[]>>, seed: number) {
    this.#library = library;
    this.#kinds = kinds;
    this.#seed = seed;
  }

  /** The clip's rows without the modality; the kind is drawn from clip and step. */
  rows(sampleId: string, modality: Modality, step: number): ClipRows {
    const kinds = this.#kinds[modality];
    const drawn = createRandom(deriveSeed(this.#seed, "blank", step, sampleId)).int(kinds.length);
    const kind = kinds[drawn]!;
    const own = this.#library.rows(sampleId);
    const blank =
      kind === unitsKind ? this.#library.blankRows(sampleId, modality) : this.#encoded(sampleId, modality, kind);
    return modality === "video" ? borrowedRows(blank, own.audio) : borrowedRows(own.video, blank);
  }

  #encoded(sampleId: string, modality: Modality, kind: string) {
    const key = `${modality} ${kind} ${sampleId}`;
    let rows = this.#rows.get(key);
    if (rows === undefined) {
      const seed = deriveSeed(this.#seed, "blank", kind, sampleId);
      [rows] = this.#library.maskedRows([{ sampleId, masks: [{ modality, ratio: 1, seed, kind }] }]);
      this.#rows.set(key, rows!);
    }
    return rows![modality];
  }

  [Symbol.dispose](): void {
    for (const rows of this.#rows.values()) rows[Symbol.dispose]();
    this.#rows.clear();
  }
}
