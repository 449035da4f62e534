// The views of clips that an observer learns from and is checked on: as they are, and under every kind of mask at any dose.
import type { FittedClip } from "../../corpus/clips/fitted-samples.ts";
import type { MediaClip, Modality, ModalityMask } from "../../media/clip.ts";
import { ownKinds } from "../../media/degrade/degrade.ts";
import type { OmniModel } from "../../models/omni-model.ts";
import { createRandom } from "../../random.ts";
import { deriveSeed } from "../../seeds.ts";
import { noGrad, scope, type Tensor } from "../../tensor/index.ts";

const clipsPerBatch = 16;
/** Share of masked views that have lost all of the modality: there an observer has to learn that it knows nothing. */
const fullShare = 0.25;

/** A clip to be looked at: decoded, or read whenever it is. */
export type ViewedClip = FittedClip | ReadClip;

export interface ReadClip {
  readonly sample: FittedClip["sample"];
  /** At the model's resolution, the same every time. */
  readonly read: () => Promise<MediaClip>;
}

export interface View {
  /** Index of the clip. */
  readonly clip: number;
  /** null: as it is. */
  readonly mask: ModalityMask | null;
}

/** Every clip as it is, and `numMasked` times under a kind and dose of its own. */
export function drawViews(
  clips: readonly Pick<ViewedClip, "sample">[],
  modality: Modality,
  numMasked: number,
  seed: number,
  kinds: readonly string[] = ownKinds[modality],
): View[] {
  const intact = clips.map((_, clip): View => ({ clip, mask: null }));
  const masked = Array.from({ length: numMasked }, (_, round) =>
    clips.map(({ sample }, clip): View => {
      const random = createRandom(deriveSeed(seed, "view", modality, sample.id, round));
      const kind = kinds[random.int(kinds.length)]!;
      const ratio = random.next() < fullShare ? 1 : random.next();
      return { clip, mask: { modality, kind, ratio, seed: deriveSeed(seed, "mask", sample.id, round) } };
    }),
  );
  return [...intact, ...masked.flat()];
}

/** Pooled rows per view, in order; null where the clip has nothing of the modality. The caller owns them. */
export async function encodeViews(
  model: OmniModel,
  clips: readonly ViewedClip[],
  modality: Modality,
  views: readonly View[],
  pool: (rows: Tensor) => Tensor,
  onBatch?: (numDone: number) => void | Promise<void>,
): Promise<(Tensor | null)[]> {
  const pooled: (Tensor | null)[] = [];
  for (let start = 0; start < views.length; start += clipsPerBatch) {
    const batch = views.slice(start, start + clipsPerBatch);
    const media = await Promise.all(
      batch.map(({ clip }) => {
        const viewed = clips[clip]!;
        return "clip" in viewed ? viewed.clip : viewed.read();
      }),
    );
    const features = batch.map(({ mask }, i) =>
      model.features(onlyOf(media[i]!, modality), mask === null ? [] : [mask]),
    );
    const seen = features.filter((one) => one[modality] !== null);
    const rows = scope(() =>
      noGrad(() => (seen.length === 0 ? [] : model.encode(seen).map((clip) => pool(clip[modality]!)))),
    );
    let next = 0;
    for (const one of features) pooled.push(one[modality] === null ? null : rows[next++]!);
    await onBatch?.(pooled.length);
  }
  return pooled;
}

/** The clip without its other modality. */
function onlyOf(clip: MediaClip, modality: Modality): MediaClip {
  return modality === "video"
    ? { ...clip, waveform: new Float32Array(0) }
    : { ...clip, frames: new Uint8Array(0), numFrames: 0 };
}
