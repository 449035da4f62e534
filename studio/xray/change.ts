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

/** Cells that a free brush paints. */
export const paintGrid = { columns: 16, rows: 16 };
const bitsPerDigit = 4;

/** One hexadecimal digit for every four cells. */
export function paintText(cells: ReadonlySet<number>): string {
  if (cells.size === 0) return "";
  const digits = Array.from({ length: (paintGrid.columns * paintGrid.rows) / bitsPerDigit }, (_, digit) => {
    let bits = 0;
    for (let bit = 0; bit < bitsPerDigit; bit++) if (cells.has(digit * bitsPerDigit + bit)) bits |= 1 << bit;
    return bits.toString(16);
  });
  return digits.join("").replace(/0+$/, "");
}

export function parsePaint(text: string): ReadonlySet<number> {
  const cells = new Set<number>();
  const digits = text.slice(0, (paintGrid.columns * paintGrid.rows) / bitsPerDigit);
  for (const [at, digit] of [...digits].entries()) {
    const bits = Number.parseInt(digit, 16) || 0;
    for (let bit = 0; bit < bitsPerDigit; bit++) if (((bits >> bit) & 1) === 1) cells.add(at * bitsPerDigit + bit);
  }
  return cells;
}

/** In hertz. */
export type BandDial = readonly [low: number, high: number];
/** What 16 kHz can hold. */
export const wholeBand: BandDial = [0, 8000];

/** Example: "300-3400" */
export function bandText([low, high]: BandDial): string {
  return low === wholeBand[0] && high === wholeBand[1] ? "" : `${low}-${high}`;
}

export function parseBand(text: string): BandDial {
  const [, low, high] = /^(\d{1,4})-(\d{1,4})$/.exec(text) ?? [];
  const clamped = (value: string) => Math.min(wholeBand[1], Number(value));
  return low === undefined || high === undefined ? wholeBand : [clamped(low), clamped(high)];
}

/** What the two dials say no word of. */
export interface Extent {
  readonly painted: ReadonlySet<number>;
  readonly band: BandDial;
}

export function changeOf(video: Dial, audio: Dial, swap: string, { painted, band }: Extent): ChangeView {
  const cells = [...painted].sort((a, b) => a - b);
  const [low, high] = band;
  const seen = maskOf("video", video, cells.length === 0 ? {} : { painted: { ...paintGrid, cells } });
  const isWhole = bandText(band) === "";
  const heard = maskOf(
    "audio",
    audio,
    isWhole ? {} : { band: { lowHz: Math.min(low, high), highHz: Math.max(low, high) } },
  );
  return { swap: swap === "" ? null : swap, masks: [...seen, ...heard] };
}

function maskOf(
  modality: MaskView["modality"],
  { kind, dose, from, to, box }: Dial,
  more: Pick<NonNullable<MaskView["part"]>, "painted" | "band">,
): MaskView[] {
  if (dose === 0) return [];
  const [left, top, right, bottom] = box.map((side) => side / percent) as [number, number, number, number];
  const time = { from: Math.min(from, to) / percent, to: Math.max(from, to) / percent };
  const part = { ...time, left, top, right, bottom, ...more };
  return [{ modality, kind, ratio: dose / percent, seed: 0, part }];
}

/** A map whose strongest place has less is drawn as faint as it is: full colour would show noise as ground. */
export const faintNats = 0.05;

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
