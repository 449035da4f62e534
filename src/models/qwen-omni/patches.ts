// Frames to the rows that the vision encoder reads, where the encoder is: bytes go to its device, and are masked, normalised with
// CLIP's mean and deviation and cut there: two frames to a temporal patch, 14 x 14 pixels to a patch, four patches of a merged
// cell next to each other.
import { OppoError } from "../../error.ts";
import { cellSize, framesPerPatch, patchSize } from "../../media/sampling.ts";
import { type DType, op, scope, type Tensor, tensor } from "../../tensor/index.ts";
import type { Grid } from "./layout.ts";

/** Values per row: 3 channels x 2 frames x 14 x 14 pixels. */
export const patchValues = 3 * framesPerPatch * patchSize ** 2;

const patchesPerCell = (cellSize / patchSize) ** 2;
const channelMeans = [0.48145466, 0.4578275, 0.40821073] as const;
const channelDeviations = [0.26862954, 0.26130258, 0.27577711] as const;

/** Of levels 0 to 255, in float32 as the reference computes them. */
const ofLevels = (values: readonly number[]) => Float32Array.from(values, (value) => Math.fround(value) * 255);

/** Frames with both sides a multiple of 28; of an odd number of frames the last one counts twice. */
export interface PatchInput {
  /** RGB, row-major [numFrames, height, width, 3]. */
  readonly frames: Uint8Array;
  readonly numFrames: number;
  readonly height: number;
  readonly width: number;
  /** Cells of 28 x 28 pixels in two frames that are black, by their place in the order of time, row, column; null: none. */
  readonly blackCells: Uint32Array | null;
}

/** @throws OppoError ERR_FRAME_SIZE where a side is no multiple of 28 or there is no frame */
export function gridOf({ numFrames, height, width }: Omit<PatchInput, "frames" | "blackCells">): Grid {
  if (numFrames < 1 || height % cellSize !== 0 || width % cellSize !== 0) {
    throw new OppoError(
      "ERR_FRAME_SIZE",
      `patches: expected frames with sides that are multiples of ${cellSize}, got ${numFrames} of ${height} x ${width}. Resize them first.`,
    );
  }
  return [Math.ceil(numFrames / framesPerPatch), height / patchSize, width / patchSize];
}

/**
 * Rows in the order of time, cell row, cell column, and inside a cell its four patches row by row; a row is
 * [channel 3, frame 2, y 14, x 14].
 * @returns [time * height * width, 1176] of the grid; computed in float32, whatever dtype is asked for
 */
export function patchRows(input: PatchInput, target: { readonly dtype: DType; readonly device: string }): Tensor {
  const { frames, numFrames, height, width, blackCells } = input;
  const [time, rows, columns] = gridOf(input);
  const { device } = target;
  return scope(() => {
    const bytes = tensor(frames, [numFrames, height, width, 3], { device });
    const isOdd = numFrames % framesPerPatch !== 0;
    const pairs = isOdd ? op.cat([bytes, bytes.narrow(0, numFrames - 1, 1)], { dim: 0 }) : bytes;
    const cut = pairs
      .view([time, framesPerPatch, rows / 2, 2, patchSize, columns / 2, 2, patchSize, 3])
      .permute([0, 2, 5, 3, 6, 8, 1, 4, 7])
      .reshape([-1, 3, patchValues / 3]);
    const shown = blackCells === null ? cut : cut.mul(lightOf(blackCells, time * rows * columns, device));
    const onDevice = (values: readonly number[]) => tensor(ofLevels(values), [3, 1], { device });
    const values = shown.to("float32").sub_(onDevice(channelMeans)).div_(onDevice(channelDeviations));
    return values.view([-1, patchValues]).to({ dtype: target.dtype });
  });
}

/** 0 for the patches of black cells, else 1: [numPatches, 1, 1]. */
function lightOf(blackCells: Uint32Array, numPatches: number, device: string): Tensor {
  const light = new Uint8Array(numPatches).fill(1);
  for (const cell of blackCells) light.fill(0, cell * patchesPerCell, (cell + 1) * patchesPerCell);
  return tensor(light, [numPatches, 1, 1], { device });
}
