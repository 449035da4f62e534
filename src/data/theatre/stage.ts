// The stage: a wall, a spotlight and a curtain behind the actor, the actor's bust, and the clip's frames one by one.
import { type Canvas, createCanvas, type SKRSContext2D } from "@napi-rs/canvas";
import type { Scene } from "./draw.ts";
import { type FacePaint, paintBrows, paintFeatures, paintHead, prepareFace, strokeWith } from "./face.ts";
import { paintHairBehind, paintHairFront } from "./hair.ts";
import { drawLook, type Look } from "./look.ts";
import { drawPerformance, type Pose, poseAt } from "./pose.ts";

/** All painting is done in this square and scaled to the wanted size. */
const stageSize = 256;
const headX = 128;
const headY = 120;
const neckY = 196;
/** The point that does not move when the actor leans forward. */
const footY = 224;
/** Brings the enlarged actor back into the middle. */
const actorDrop = 8;

export interface StageOptions {
  /** Width and height in pixels. */
  readonly size: number;
  readonly fps: number;
  readonly numFrames: number;
}

/** Loudness of the voice in [0, 1] at a fixed rate; the lips follow it. */
export interface LipTrack {
  readonly values: Float32Array;
  readonly rateHz: number;
}

/** The scene's frames as RGBA bytes, [size, size, 4] each. Every frame is a new array. */
export function* stageFrames(scene: Scene, lips: LipTrack, options: StageOptions): Generator<Uint8Array> {
  const { size, fps, numFrames } = options;
  const canvas = createCanvas(size, size);
  const context = canvas.getContext("2d");
  const look = drawLook(scene.seed, scene.troupe);
  const performance = drawPerformance(scene.seed);
  const backdrop = paintBackdrop(look, size);
  const face = prepareFace(context, look);
  for (let frame = 0; frame < numFrames; frame += 1) {
    const seconds = frame / fps;
    const pose = poseAt(scene.visual, performance, seconds, lipOpening(lips, seconds));
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(backdrop, 0, 0);
    context.scale(size / stageSize, size / stageSize);
    paintActor(context, look, face, pose);
    yield canvas.data();
  }
}

function lipOpening(lips: LipTrack, seconds: number): number {
  const at = seconds * lips.rateHz;
  const left = Math.min(lips.values.length - 1, Math.floor(at));
  const right = Math.min(lips.values.length - 1, left + 1);
  if (left < 0) return 0;
  return lips.values[left]! + (lips.values[right]! - lips.values[left]!) * (at - left);
}

function paintActor(context: SKRSContext2D, look: Look, face: FacePaint, pose: Pose): void {
  const scale = look.scale * pose.lean;
  context.translate(look.offset.x, look.offset.y + actorDrop);
  context.translate(headX, footY);
  context.scale(scale, scale);
  context.translate(-headX, -footY);
  // Long hair falls behind the shoulders, so it is painted before them.
  inHead(context, pose, () => paintHairBehind(context, look));
  paintBody(context, look, pose);
  inHead(context, pose, () => {
    paintHead(context, look, face, pose);
    paintFeatures(context, look, face, pose);
    paintHairFront(context, look, pose);
    paintBrows(context, look, pose);
  });
}

function inHead(context: SKRSContext2D, pose: Pose, paint: () => void): void {
  context.save();
  context.translate(headX + pose.head.x, headY + pose.head.y);
  context.rotate(pose.head.roll);
  paint();
  context.restore();
}

function paintBody(context: SKRSContext2D, look: Look, pose: Pose): void {
  const { color, shade, trim, collar } = look.clothes;
  const neckX = headX + 0.4 * pose.head.x;
  context.fillStyle = look.skin.shade;
  context.fillRect(neckX - 21, neckY - 30, 42, 54);
  context.beginPath();
  context.moveTo(headX - 104, 300);
  context.bezierCurveTo(headX - 104, 226, headX - 62, 212, headX - 30, 204);
  context.quadraticCurveTo(headX, 226, headX + 30, 204);
  context.bezierCurveTo(headX + 62, 212, headX + 104, 226, headX + 104, 300);
  context.closePath();
  context.fillStyle = color;
  context.fill();
  context.beginPath();
  for (const side of [-1, 1]) {
    context.moveTo(headX + side * 66, 262);
    context.quadraticCurveTo(headX + side * 66, 246, headX + side * 72, 236);
  }
  strokeWith(context, shade, 3);
  if (collar === "turtleneck") {
    context.fillStyle = shade;
    context.beginPath();
    context.roundRect(neckX - 27, 190, 54, 26, 9);
    context.fill();
  } else if (collar === "shirt") {
    context.beginPath();
    context.moveTo(headX - 32, 200);
    context.lineTo(headX, 232);
    context.lineTo(headX + 32, 200);
    strokeWith(context, trim, 8);
  } else {
    context.beginPath();
    context.moveTo(headX - 31, 205);
    context.quadraticCurveTo(headX, 228, headX + 31, 205);
    strokeWith(context, trim, 5);
  }
}

/** Wall, spotlight and curtain; they stand still, so they are painted once per clip. */
function paintBackdrop(look: Look, size: number): Canvas {
  const canvas = createCanvas(size, size);
  const context = canvas.getContext("2d");
  context.scale(size / stageSize, size / stageSize);
  const { wall, glow, curtain } = look.stage;
  const wallPaint = context.createLinearGradient(0, 0, 0, stageSize);
  wallPaint.addColorStop(0, wall[0]);
  wallPaint.addColorStop(1, wall[1]);
  context.fillStyle = wallPaint;
  context.fillRect(0, 0, stageSize, stageSize);
  const light = context.createRadialGradient(headX, 104, 20, headX, 104, 124);
  light.addColorStop(0, glow);
  light.addColorStop(0.7, `${glow}99`);
  light.addColorStop(1, `${glow}00`);
  context.fillStyle = light;
  context.fillRect(0, 0, stageSize, stageSize);
  for (const side of [0, 1]) paintCurtain(context, curtain, side);
  return canvas;
}

function paintCurtain(context: SKRSContext2D, [light, dark]: readonly [string, string], side: number): void {
  context.save();
  if (side === 1) {
    context.translate(stageSize, 0);
    context.scale(-1, 1);
  }
  const folds = context.createLinearGradient(0, 0, 36, 0);
  for (const [at, color] of [
    [0, dark],
    [0.2, light],
    [0.4, dark],
    [0.62, light],
    [0.85, dark],
    [1, light],
  ] as const) {
    folds.addColorStop(at, color);
  }
  context.beginPath();
  context.moveTo(0, 0);
  context.lineTo(38, 0);
  context.bezierCurveTo(36, 70, 24, 130, 22, 160);
  context.bezierCurveTo(20, 190, 26, 230, 30, 256);
  context.lineTo(0, 256);
  context.closePath();
  context.fillStyle = folds;
  context.fill();
  context.restore();
}
