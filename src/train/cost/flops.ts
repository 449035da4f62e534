// Floating-point operations of one forward pass: two per weight and row, and those of attention.
import type { Modality } from "../../media/clip.ts";
import type { MediaSize, ModelShape } from "../../models/model-shape.ts";
import { sum } from "../memory/standing.ts";

export interface Pass {
  readonly prompts: number;
  /** Tokens of a prompt. */
  readonly prefix: number;
  /** Completions of a prompt (may be a share), and tokens of one. */
  readonly group: number;
  readonly tokens: number;
}

/** Prefixes once, completions over them; without the head. */
export function decoderFlops(model: ModelShape, { prompts, prefix, group, tokens }: Pass): number {
  const { decoder } = model;
  const inDecoder = model.linearLayers.filter(({ name }) => model.partOf(`${name}.weight`) === "language model");
  const weights = sum(inDecoder.map(({ inputs, outputs }) => inputs * outputs));
  const rows = prompts * (prefix + group * tokens);
  // Scores and their sum of values: two products over what a row sees, half of its own sequence.
  const seen = prompts * (prefix ** 2 / 2 + group * tokens * (prefix + tokens / 2));
  return 2 * weights * rows + 4 * decoder.numLayers * decoder.numHeads * decoder.headDim * seen;
}

export function headFlops({ decoder }: ModelShape, rows: number): number {
  return 2 * decoder.vocabSize * decoder.hiddenSize * rows;
}

/** Both towers over one clip, or one of them. */
export function towerFlops({ towers }: ModelShape, media: MediaSize | null, modality: Modality | null = null): number {
  if (media === null || towers === null) return 0;
  return sum(
    towers.map((tower) => {
      if (modality !== null && tower.modality !== modality) return 0;
      const load = tower.loadOf(media);
      if (load === null) return 0;
      const { width, feedForward, isGated } = tower;
      const weights = 4 * width ** 2 + (isGated ? 3 : 2) * width * feedForward;
      return sum(
        load.segments.map(
          ({ layers, length }) => layers * load.rows * (2 * weights + 4 * width * Math.min(length, load.rows)),
        ),
      );
    }),
  );
}
