// Painting a face with Skia: head, eyes, brows, nose, mouth and tears, in head coordinates (origin in the middle of the
// face, 1 unit = 1 pixel of a 256-pixel stage). Large, clear shapes: the face must still read at 112 pixels.
import type { CanvasGradient, SKRSContext2D } from "@napi-rs/canvas";
import type { Look } from "./look.ts";
import type { Pose } from "./pose.ts";

/** Gradients live in head coordinates and are made once per actor. */
export interface FacePaint {
  readonly skin: CanvasGradient;
  readonly blush: readonly [left: CanvasGradient, right: CanvasGradient];
  readonly jawHalfWidth: number;
}

const faceTop = -70;
const chin = 80;
const halfWidth = 58;
const eyeX = 26;
const eyeY = 0;
const mouthY = 47;
/** The dark line between closed lips, seen on every skin. */
const lipLine = "#4a1a1e";

export function prepareFace(context: SKRSContext2D, look: Look): FacePaint {
  const skin = context.createRadialGradient(-18, -24, 12, 0, 0, 96);
  skin.addColorStop(0, look.skin.light);
  skin.addColorStop(0.55, look.skin.base);
  skin.addColorStop(1, look.skin.shade);
  const blush = ([-1, 1] as const).map((side) => {
    const gradient = context.createRadialGradient(side * 35, 27, 1, side * 35, 27, 15);
    gradient.addColorStop(0, look.skin.blush);
    gradient.addColorStop(1, `${look.skin.blush}00`);
    return gradient;
  });
  return { skin, blush: [blush[0]!, blush[1]!], jawHalfWidth: halfWidth * look.jaw };
}

/** The head without features: ears and skin. */
export function paintHead(context: SKRSContext2D, look: Look, paint: FacePaint, pose: Pose): void {
  const earX = halfWidth - 1;
  const earShift = -5 * pose.head.yaw;
  for (const side of [-1, 1]) {
    disc(context, side * earX + earShift, 6, 10, 14, look.skin.base);
    disc(context, side * earX + earShift, 7, 5, 8, look.skin.shade);
  }
  if (look.hasEarrings)
    for (const side of [-1, 1]) disc(context, side * (earX + 2) + earShift, 23, 3.4, 3.4, "#f2c14e");
  const jaw = paint.jawHalfWidth;
  context.beginPath();
  context.moveTo(-halfWidth, -8);
  context.bezierCurveTo(-halfWidth, faceTop - 10, halfWidth, faceTop - 10, halfWidth, -8);
  context.bezierCurveTo(halfWidth, 34, jaw * 0.7, chin, 0, chin);
  context.bezierCurveTo(-jaw * 0.7, chin, -halfWidth, 34, -halfWidth, -8);
  context.fillStyle = paint.skin;
  context.fill();
}

/** Eyes, nose, mouth, tears; moved on the head when it bows or turns. */
export function paintFeatures(context: SKRSContext2D, look: Look, paint: FacePaint, pose: Pose): void {
  context.save();
  context.translate(6 * pose.head.yaw, 9 * pose.head.bow);
  context.globalAlpha = pose.blush;
  for (const [i, side] of [-1, 1].entries()) disc(context, side * 35, 27, 15, 12, paint.blush[i]!);
  context.globalAlpha = 1;
  if (look.hasFreckles) paintFreckles(context, look);
  for (const side of [-1, 1] as const) paintEye(context, look, pose, side);
  paintNose(context, look);
  paintMouth(context, look, pose.mouth);
  if (pose.tears.amount > 0) for (const side of [-1, 1]) paintTear(context, pose.tears, side);
  context.restore();
}

/** Brows come last, over the hair: whatever the style, they are seen. */
export function paintBrows(context: SKRSContext2D, look: Look, pose: Pose): void {
  context.save();
  context.translate(6 * pose.head.yaw, 9 * pose.head.bow);
  for (const side of [-1, 1]) paintBrow(context, look, pose.brow, side);
  if (pose.brow.crease > 0.3) paintCrease(context, look, pose.brow.crease);
  context.restore();
}

function paintEye(context: SKRSContext2D, look: Look, pose: Pose, side: -1 | 1): void {
  const { eyes, gaze } = pose;
  const x = side * eyeX;
  const rx = 19;
  const top = -14.5 * eyes.upper;
  const bottom = 12.5 * eyes.lower;
  const outline = (): void => {
    context.beginPath();
    context.moveTo(x - rx, eyeY + 1);
    context.bezierCurveTo(x - rx * 0.62, eyeY + top * 1.3, x + rx * 0.62, eyeY + top * 1.3, x + rx, eyeY + 1);
    context.bezierCurveTo(x + rx * 0.62, eyeY + bottom * 1.3, x - rx * 0.62, eyeY + bottom * 1.3, x - rx, eyeY + 1);
    context.closePath();
  };
  if (bottom - top > 3) {
    context.save();
    outline();
    context.fillStyle = pose.tears.amount > 0 ? "#f6f2f6" : "#ffffff";
    context.fill();
    context.clip();
    const irisY = eyeY + gaze.y + (top + bottom) * 0.25;
    disc(context, x + gaze.x, irisY, 10 * eyes.iris, 10 * eyes.iris, look.iris);
    disc(context, x + gaze.x, irisY, 5 * eyes.iris, 5 * eyes.iris, "#17131a");
    disc(context, x + gaze.x - 3.2, irisY - 3.4, 2.6, 2.6, "#ffffff");
    if (pose.tears.amount > 0) {
      disc(context, x + gaze.x + 3.4, irisY + 3, 2, 2, "#ffffff");
      disc(context, x, eyeY + bottom + 1, 15, 5, "#9fd8ff");
    }
    context.restore();
  }
  context.beginPath();
  context.moveTo(x - rx - 0.5, eyeY + 1.5);
  context.bezierCurveTo(x - rx * 0.62, eyeY + top * 1.3, x + rx * 0.62, eyeY + top * 1.3, x + rx + 0.5, eyeY + 1.5);
  if (look.hasLashes) {
    context.moveTo(x + side * (rx - 1), eyeY);
    context.lineTo(x + side * (rx + 5), eyeY - 4 + top * 0.15);
  }
  strokeWith(context, "#2a1f26", 3.2);
  if (eyes.lower < 0.75 && eyes.upper > 0.1) {
    context.beginPath();
    context.moveTo(x - rx * 0.75, eyeY + bottom + 5);
    context.quadraticCurveTo(x, eyeY + bottom + 8, x + rx * 0.75, eyeY + bottom + 5);
    strokeWith(context, look.skin.shade, 2.4);
  }
}

function paintBrow(context: SKRSContext2D, look: Look, brow: Pose["brow"], side: number): void {
  context.beginPath();
  context.moveTo(side * brow.inner.x, brow.inner.y);
  context.quadraticCurveTo(side * 28, 2 * brow.middle - (brow.inner.y + brow.outer) / 2, side * 46, brow.outer);
  strokeWith(context, look.browColor, 8);
}

function paintCrease(context: SKRSContext2D, look: Look, amount: number): void {
  context.beginPath();
  for (const side of [-1, 1]) {
    context.moveTo(side * 3.6, -24);
    context.lineTo(side * 2.6, -24 + 12 * amount);
  }
  strokeWith(context, look.skin.shade, 2.6);
}

function paintNose(context: SKRSContext2D, look: Look): void {
  context.beginPath();
  context.moveTo(-6, 18);
  context.quadraticCurveTo(0, 24.5, 6, 18);
  strokeWith(context, look.skin.shade, 3.2);
}

function paintFreckles(context: SKRSContext2D, look: Look): void {
  const spots = [-44, 20, -36, 16, -31, 22, 44, 20, 36, 16, 31, 22] as const;
  for (let i = 0; i < spots.length; i += 2) disc(context, spots[i]!, spots[i + 1]!, 1.5, 1.5, look.skin.shade);
}

function paintMouth(context: SKRSContext2D, look: Look, mouth: Pose["mouth"]): void {
  const { halfWidth: w, curve, open, pressed } = mouth;
  const corner = mouthY - 0.62 * curve;
  const upper = mouthY + 0.36 * curve - 0.4 * open;
  const lower = mouthY + 0.36 * curve + 0.6 * open;
  const upperControl = 2 * upper - corner;
  const lowerControl = 2 * lower - corner;
  // A round, wide open mouth needs fuller sides than a quadratic curve has.
  const side = Math.min(1, open / 26) * w * 0.98;
  const trace = (): void => {
    context.beginPath();
    context.moveTo(-w, corner);
    context.bezierCurveTo(-side, (corner + 2 * upperControl) / 3, side, (corner + 2 * upperControl) / 3, w, corner);
    context.bezierCurveTo(side, (corner + 2 * lowerControl) / 3, -side, (corner + 2 * lowerControl) / 3, -w, corner);
    context.closePath();
  };
  if (open > 1.5) {
    context.save();
    trace();
    context.fillStyle = "#5a1a24";
    context.fill();
    context.clip();
    disc(context, 0, lower + 1, w * 0.62, Math.max(2, open * 0.34), "#e2737c");
    if (curve > 3) {
      context.fillStyle = "#fffdf8";
      context.fillRect(-w, corner - 4, 2 * w, upper - corner + 4 + Math.min(10, open * 0.55));
    } else if (open > 9) {
      context.fillStyle = "#fffdf8";
      context.fillRect(-w * 0.62, upper - 2, w * 1.24, 2 + Math.min(6, open * 0.22));
    }
    context.restore();
  }
  // Pressed lips are squeezed into a short, full band.
  trace();
  strokeWith(context, look.skin.lips, curve < -3 ? 8 : 4.4 + 11 * pressed);
  if (open <= 3) {
    trace();
    strokeWith(context, lipLine, curve < -3 || pressed > 0 ? 3 : 2);
  }
  if (curve > 3 || pressed > 0.3 || curve < -3) paintMouthCorners(context, look, mouth, corner);
}

/** Dimples of a smile, tight creases beside pressed lips, the shadow under a pout. */
function paintMouthCorners(context: SKRSContext2D, look: Look, mouth: Pose["mouth"], corner: number): void {
  context.beginPath();
  if (mouth.curve < -3) {
    context.moveTo(-10, mouthY + 15);
    context.quadraticCurveTo(0, mouthY + 10, 10, mouthY + 15);
    strokeWith(context, look.skin.shade, 2.6);
    return;
  }
  const isPressed = mouth.pressed > 0.3;
  const reach = mouth.halfWidth + (isPressed ? 9 : 4);
  const height = isPressed ? 7 : 4;
  for (const side of [-1, 1]) {
    context.moveTo(side * reach, corner - height);
    context.quadraticCurveTo(side * (reach + 4), corner, side * reach, corner + height);
  }
  context.globalAlpha = isPressed ? 0.6 : 1;
  strokeWith(context, isPressed ? lipLine : look.skin.shade, isPressed ? 3.2 : 2.6);
  context.globalAlpha = 1;
}

function paintTear(context: SKRSContext2D, tears: Pose["tears"], side: number): void {
  const x = side * (eyeX + 4);
  const length = 44 * tears.amount;
  context.globalAlpha = 0.85;
  context.beginPath();
  context.moveTo(x, eyeY + 14);
  context.quadraticCurveTo(x + side * 4, eyeY + 14 + length * 0.5, x + side * 1, eyeY + 14 + length);
  strokeWith(context, "#8ccbff", 7.5);
  context.beginPath();
  context.moveTo(x - 1, eyeY + 16);
  context.quadraticCurveTo(x + side * 4 - 1, eyeY + 14 + length * 0.5, x + side * 1 - 1, eyeY + 12 + length);
  strokeWith(context, "#dcf1ff", 2.6);
  context.globalAlpha = 1;
  const dropY = eyeY + 20 + (length + 6) * tears.fall;
  disc(context, x + side * 2.5, dropY, 5.4, 7.2, "#6fb9f7");
  disc(context, x + side * 2.5 - 1.6, dropY - 2, 1.6, 2.4, "#ffffff");
}

/** A filled ellipse. */
export function disc(
  context: SKRSContext2D,
  x: number,
  y: number,
  rx: number,
  ry: number,
  fill: string | CanvasGradient,
): void {
  context.beginPath();
  context.ellipse(x, y, rx, ry, 0, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
}

/** Strokes the current path with round ends. */
export function strokeWith(context: SKRSContext2D, color: string, width: number): void {
  context.strokeStyle = color;
  context.lineWidth = width;
  context.lineCap = "round";
  context.lineJoin = "round";
  context.stroke();
}
