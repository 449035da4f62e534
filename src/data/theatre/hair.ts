// Hair and headscarf, in head coordinates: a part behind the head and a part in front. No style reaches below the brows'
// highest place, since hidden brows would hide a cue.
import type { SKRSContext2D } from "@napi-rs/canvas";
import { disc } from "./face.ts";
import type { Look } from "./look.ts";
import type { Pose } from "./pose.ts";

export function paintHairBehind(context: SKRSContext2D, look: Look): void {
  const { style, color, shine } = look.hair;
  if (style === "bun") {
    disc(context, 0, -86, 25, 23, color);
    disc(context, -7, -92, 9, 7, shine);
    disc(context, 0, -14, 64, 66, color);
  } else if (style === "bob") {
    blob(
      context,
      color,
      [
        -70, -10, -74, -92, 74, -92, 70, -10, 74, 30, 72, 54, 58, 58, 20, 62, -20, 62, -58, 58, -72, 54, -74, 30, -70,
        -10,
      ],
    );
  } else if (style === "long") {
    blob(
      context,
      color,
      [
        -68, -10, -72, -96, 72, -96, 68, -10, 72, 40, 84, 90, 70, 118, 30, 124, -30, 124, -70, 118, -84, 90, -72, 40,
        -68, -10,
      ],
    );
  } else if (style === "curly") {
    for (const [x, y, r] of curls) disc(context, x, y, r, r, color);
  } else if (style === "scarf") {
    blob(
      context,
      color,
      [
        -70, -4, -76, -112, 76, -112, 70, -4, 74, 60, 60, 104, 40, 112, 10, 118, -10, 118, -40, 112, -60, 104, -74, 60,
        -70, -4,
      ],
    );
  } else {
    disc(context, 0, -16, 61, 64, color);
  }
}

const curls: readonly (readonly [x: number, y: number, radius: number])[] = [
  [0, -72, 28],
  [-30, -66, 27],
  [30, -66, 27],
  [-54, -44, 25],
  [54, -44, 25],
  [-64, -14, 21],
  [64, -14, 21],
  [-64, 14, 17],
  [64, 14, 17],
];

/** The part over the forehead; it comes down when the head bows. */
export function paintHairFront(context: SKRSContext2D, look: Look, pose: Pose): void {
  const { style, color, shine } = look.hair;
  context.save();
  if (style !== "scarf") context.translate(0, 7 * pose.head.bow);
  if (style === "scarf") {
    paintScarf(context, color, shine);
  } else if (style === "curly") {
    for (const [x, y, r] of fringeCurls) disc(context, x, y, r, r, color);
    disc(context, -22, -74, 8, 5, shine);
    disc(context, 14, -78, 6, 4, shine);
  } else {
    blob(context, color, capShapes[style]);
    context.globalAlpha = 0.75;
    blob(context, shine, [-45, -60, -36, -74, -18, -80, -4, -79, -16, -75, -32, -69, -45, -60]);
    context.globalAlpha = 1;
  }
  context.restore();
}

const fringeCurls: readonly (readonly [x: number, y: number, radius: number])[] = [
  [-44, -58, 15],
  [-24, -68, 15],
  [0, -71, 15],
  [24, -68, 15],
  [44, -58, 15],
  [-56, -38, 11],
  [56, -38, 11],
];

/** Closed curves: a start point, then three points (two controls and an end) per segment. */
const capShapes: Readonly<Record<"crop" | "parted" | "bob" | "long" | "bun", readonly number[]>> = {
  // biome-ignore format: one segment per group of six numbers
  crop: [-61, -16, -66, -108, 66, -108, 61, -16, 57, -34, 55, -46, 44, -52, 20, -63, -20, -63, -44, -52, -55, -46, -57, -34, -61, -16],
  // biome-ignore format: one segment per group of six numbers
  parted: [-62, -12, -72, -112, 68, -112, 62, -12, 58, -36, 54, -52, 38, -58, 14, -64, -8, -68, -20, -76, -28, -60, -54, -50, -62, -12],
  // biome-ignore format: one segment per group of six numbers
  bob: [-69, 16, -78, -110, 78, -110, 69, 16, 60, -10, 59, -42, 44, -54, 16, -62, -16, -62, -44, -54, -59, -42, -60, -10, -69, 16],
  // biome-ignore format: one segment per group of six numbers
  long: [-68, 22, -76, -112, 76, -112, 68, 22, 59, -14, 54, -52, 2, -70, 1, -70, -1, -70, -2, -70, -54, -52, -59, -14, -68, 22],
  // biome-ignore format: one segment per group of six numbers
  bun: [-61, -12, -66, -106, 66, -106, 61, -12, 55, -46, 34, -64, 0, -64, -34, -64, -55, -46, -61, -12],
};

function paintScarf(context: SKRSContext2D, color: string, shine: string): void {
  // A ring around the face: the outline and the opening, filled by the even-odd rule.
  context.beginPath();
  trace(context, [-69, 0, -76, -112, 76, -112, 69, 0, 70, 56, 40, 92, 0, 94, -40, 92, -70, 56, -69, 0]);
  trace(context, [-55, 4, -58, -92, 58, -92, 55, 4, 53, 46, 26, 72, 0, 73, -26, 72, -53, 46, -55, 4]);
  context.fillStyle = color;
  context.fill("evenodd");
  blob(context, shine, [-54, -52, -46, -72, -24, -81, -6, -80, -22, -75, -40, -66, -54, -52]);
}

function blob(context: SKRSContext2D, fill: string, points: readonly number[]): void {
  context.beginPath();
  trace(context, points);
  context.fillStyle = fill;
  context.fill();
}

function trace(context: SKRSContext2D, points: readonly number[]): void {
  context.moveTo(points[0]!, points[1]!);
  for (let i = 2; i + 5 < points.length; i += 6) {
    context.bezierCurveTo(points[i]!, points[i + 1]!, points[i + 2]!, points[i + 3]!, points[i + 4]!, points[i + 5]!);
  }
  context.closePath();
}
