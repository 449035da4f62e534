// Rows of towers that learn: encoded anew in every step with a graph, and cut from it, so that what the decoder's step leaves in
// them as a gradient goes through the towers in one backward at its end.
import { borrowedRows, type ClipLibrary } from "../corpus/clips/clip-library.ts";
import type { ModalityMask } from "../media/clip.ts";
import type { ClipRows, OmniModel } from "../models/omni-model.ts";
import { backwardThroughTrunk, type CutRows } from "../rl/chunks.ts";
import { keep, scope, type Tensor } from "../tensor/index.ts";

/** Owner of one step's rows. */
export class LiveRows implements Disposable {
  readonly #model: OmniModel;
  readonly #library: ClipLibrary;
  /** What towers gave, cut from its graph. */
  readonly #cuts: CutRows[] = [];

  /** @param library has the clips; its own rows are another model's, or those of an earlier step */
  constructor(model: OmniModel, library: ClipLibrary) {
    this.#model = model;
    this.#library = library;
  }

  /** The rows of a clip, or of its counterfactual (Eq. 6); borrowed, they live as long as this does. */
  rows(sampleId: string, masks: readonly ModalityMask[] = []): ClipRows {
    const features = this.#model.features(this.#library.fitted(sampleId), masks);
    const { video, audio } = scope(() => {
      const [encoded] = this.#model.encode([features]);
      const cut = (whole: Tensor | null): Tensor | null => {
        if (whole === null) return null;
        const leaf = keep(whole.detach());
        leaf.requiresGrad = true;
        this.#cuts.push({ rows: keep(whole), leaf });
        return leaf;
      };
      return { video: cut(encoded!.video), audio: cut(encoded!.audio) };
    });
    return borrowedRows(video, audio);
  }

  /** Sends the gradients that the rows collected through the towers. */
  backward(): void {
    scope(() => {
      for (const cut of this.#cuts) backwardThroughTrunk(cut);
    });
  }

  [Symbol.dispose](): void {
    for (const { rows, leaf } of this.#cuts) {
      rows.dispose();
      leaf.dispose();
    }
  }
}
