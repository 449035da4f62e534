// What is done to the clip: kept in the address, so that a link shows the same.
import type { ChangeView, MaskView } from "../../src/serve/studio/api.ts";

/** Of one modality: the kind of its mask, the dose in percent, and where: percent of time, and of the picture. */
export interface Dial {
  readonly kind: string;
  readonly dose: number;
  readonly from: number;
  readonly to: number;
  /** left, top, right, bottom */
  readonly box: readonly [number, number, number, number];
}

export const wholeBox: Dial["box"] = [0, 0, 100, 100];
const untouched = (kind: string): Dial => ({ kind, dose: 0, from: 0, to: 100, box: wholeBox });

/** Example: "grey,80,0,50,25,0,75,50" */
export function dialText({ kind, dose, from, to, box }: Dial): string {
  return dose === 0 ? "" : [kind, dose, from, to, ...box].join(",");
}

export function parseDial(text: string, standard: string): Dial {
  const [kind = standard, ...numbers] = text === "" ? [standard] : text.split(",");
  const [dose = 0, from = 0, to = 100, left = 0, top = 0, right = 100, bottom = 100] = numbers.map((one) =>
    Math.min(100, Math.max(0, Number(one) || 0)),
  );
  return dose === 0 ? untouched(kind) : { kind, dose, from, to, box: [left, top, right, bottom] };
}

const percent = 100;

export function changeOf(video: Dial, audio: Dial, swap: string): ChangeView {
  return { swap: swap === "" ? null : swap, masks: [...maskOf("video", video), ...maskOf("audio", audio)] };
}

function maskOf(modality: MaskView["modality"], { kind, dose, from, to, box }: Dial): MaskView[] {
  if (dose === 0) return [];
  const [left, top, right, bottom] = box.map((side) => side / percent) as [number, number, number, number];
  const part = { from: Math.min(from, to) / percent, to: Math.max(from, to) / percent, left, top, right, bottom };
  return [{ modality, kind, ratio: dose / percent, seed: 0, part }];
}

/** Cells of the picture's map: columns, rows, moments; and pieces of the sound. */
export const grid = { columns: 4, rows: 4, moments: 2, pieces: 16 };

/** Every cell of the picture greyed, then every piece of the sound silent. */
export function occlusions(swap: string): ChangeView[] {
  const own = swap === "" ? null : swap;
  const { columns, rows, moments, pieces } = grid;
  const part = (from: number, to: number, left = 0, top = 0, right = 1, bottom = 1) => ({
    from,
    to,
    left,
    top,
    right,
    bottom,
  });
  const cells = Array.from({ length: columns * rows * moments }, (_, i): ChangeView => {
    const [column, row, moment] = [i % columns, Math.floor(i / columns) % rows, Math.floor(i / (columns * rows))];
    const where = part(
      moment / moments,
      (moment + 1) / moments,
      column / columns,
      row / rows,
      (column + 1) / columns,
      (row + 1) / rows,
    );
    return { swap: own, masks: [{ modality: "video", kind: "grey", ratio: 1, seed: 0, part: where }] };
  });
  const sounds = Array.from({ length: pieces }, (_, i): ChangeView => {
    const where = part(i / pieces, (i + 1) / pieces);
    return { swap: own, masks: [{ modality: "audio", kind: "quiet", ratio: 1, seed: 0, part: where }] };
  });
  return [...cells, ...sounds];
}
