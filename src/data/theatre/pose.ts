// How the actor moves: the face's shape at a moment, from the visual state. Cues grow in over the first second and stay;
// what is no cue (blinking, breathing, swaying, lips that follow the voice) is always there, so that it says nothing.
import { createRandom } from "../../random.ts";
import type { VisualState } from "./world.ts";

/** Shape of one face at one moment. Lengths in pixels of a 256-pixel stage, angles in radians. */
export interface Pose {
  readonly brow: { readonly inner: Point; readonly middle: number; readonly outer: number; readonly crease: number };
  /** 0 closed, 1 at rest. */
  readonly eyes: { readonly upper: number; readonly lower: number; readonly iris: number };
  /** 0 dry, 1 streaming; `fall` in [0, 1) is how far the drop has run. */
  readonly tears: { readonly amount: number; readonly fall: number };
  readonly mouth: {
    readonly halfWidth: number;
    /** How far the corners are raised. */
    readonly curve: number;
    readonly open: number;
    readonly pressed: number;
  };
  readonly gaze: Point;
  readonly blush: number;
  readonly head: {
    readonly x: number;
    readonly y: number;
    readonly roll: number;
    readonly yaw: number;
    readonly bow: number;
  };
  /** Size of the whole actor, 1 at rest. */
  readonly lean: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Personal constants of a performance: how strongly each cue shows, and the rhythm of what is no cue. */
export interface Performance {
  readonly strength: { readonly brow: number; readonly eyes: number; readonly mouth: number; readonly head: number };
  readonly blinkSeconds: readonly number[];
  readonly swayPhase: number;
  readonly shakeSign: number;
}

const strengthRange = { low: 0.82, high: 1.12 };
/** Blinks fall between the moments at which a reader at 2 frames per second looks (0, 0.65, 1.3, 1.95 s). */
const blinkMoments = [0.32, 0.98, 1.62];
const blinkHalfSeconds = 0.09;
/** A full swing there and back; two and a half of them pass between two such looks, so that neighbours differ. */
const shakeSeconds = 0.4355;
const cueStart = 0.45;
const cueGrowSeconds = 0.8;

export function drawPerformance(seed: number): Performance {
  const random = createRandom(seed ^ 0x20051);
  const strength = () => strengthRange.low + (strengthRange.high - strengthRange.low) * random.next();
  return {
    strength: { brow: strength(), eyes: strength(), mouth: strength(), head: strength() },
    blinkSeconds: blinkMoments.filter(() => random.next() < 0.6).map((moment) => moment + 0.12 * (random.next() - 0.5)),
    swayPhase: random.next() * 2 * Math.PI,
    shakeSign: random.next() < 0.5 ? -1 : 1,
  };
}

/** The pose at a moment. `voice` in [0, 1] is how loud the actor speaks right now, relative to the clip's loudest moment. */
export function poseAt(state: VisualState, performance: Performance, seconds: number, voice: number): Pose {
  const grown = cueStart + (1 - cueStart) * smooth(seconds / cueGrowSeconds);
  const { strength } = performance;
  const sway = Math.sin(2 * Math.PI * 0.31 * seconds + performance.swayPhase);
  const head = headPose(state.head, grown * strength.head, performance, seconds);
  return {
    brow: browPose(state.brow, grown * strength.brow, voice),
    eyes: eyesPose(state.eyes, grown * strength.eyes, blinkAt(performance, seconds)),
    tears: { amount: state.eyes === "tearful" ? Math.min(1, 0.3 + grown) : 0, fall: (0.15 + seconds * 0.7) % 1 },
    mouth: mouthPose(state.mouth, grown * strength.mouth, voice),
    gaze: { x: 1.2 * sway + head.gazeX, y: state.head === "bowed" ? 3 * grown : 0 },
    blush: state.mouth === "smile" ? 1 : 0.55,
    head: {
      x: 1.2 * sway + head.x,
      y: 0.8 * sway + head.y,
      roll: 0.012 * sway + head.roll,
      yaw: head.yaw,
      bow: head.bow,
    },
    lean: 1 + 0.004 * Math.sin(2 * Math.PI * 0.4 * seconds) + head.lean,
  };
}

function browPose(state: VisualState["brow"], amount: number, voice: number): Pose["brow"] {
  // A speaking face lifts its brows a little with every stress.
  const lift = 1.2 * voice;
  if (state === "furrowed") {
    const inner = { x: 12 - 5 * amount, y: -27 + 16 * amount };
    return { inner, middle: -32 + 4 * amount, outer: -26 - 12 * amount, crease: amount };
  }
  if (state === "raised") {
    return { inner: { x: 12, y: -27 - 17 * amount }, middle: -32 - 22 * amount, outer: -26 - 13 * amount, crease: 0 };
  }
  if (state === "slanted") {
    const inner = { x: 12 - amount, y: -27 - 21 * amount };
    return { inner, middle: -32 - 2 * amount, outer: -26 + 12 * amount, crease: 0 };
  }
  return { inner: { x: 12, y: -27 - lift }, middle: -32 - lift, outer: -25 - lift, crease: 0 };
}

function eyesPose(state: VisualState["eyes"], amount: number, blink: number): Pose["eyes"] {
  let upper = 1;
  let lower = 1;
  let iris = 1;
  if (state === "wide") {
    upper += 0.7 * amount;
    lower += 0.6 * amount;
    iris -= 0.14 * amount;
  } else if (state === "narrowed") {
    upper -= 0.74 * amount;
    lower -= 0.6 * amount;
  } else if (state === "tearful") {
    upper -= 0.16 * amount;
    lower += 0.1 * amount;
  }
  return { upper: upper * (1 - blink) - 0.15 * blink, lower: lower * (1 - 0.6 * blink), iris };
}

function mouthPose(state: VisualState["mouth"], amount: number, voice: number): Pose["mouth"] {
  const talk = 6 * voice;
  const rest = { halfWidth: 22, curve: 2.4, open: talk, pressed: 0 };
  if (state === "smile") return { ...rest, halfWidth: 23 + 11 * amount, curve: 15 * amount, open: 12 * amount + talk };
  if (state === "downturned") return { ...rest, halfWidth: 27, curve: -21 * amount, open: 0.5 * talk };
  if (state === "open") return { ...rest, halfWidth: 22 - 3 * amount, curve: 0, open: 36 * amount + 0.5 * talk };
  if (state === "pressed") return { halfWidth: 22 - 9 * amount, curve: -1, open: 0, pressed: amount };
  return rest;
}

interface HeadMove {
  readonly x: number;
  readonly y: number;
  readonly roll: number;
  readonly yaw: number;
  readonly bow: number;
  readonly lean: number;
  readonly gazeX: number;
}

function headPose(state: VisualState["head"], amount: number, performance: Performance, seconds: number): HeadMove {
  const still = { x: 0, y: 0, roll: 0, yaw: 0, bow: 0, lean: 0, gazeX: 0 };
  if (state === "bowed") return { ...still, y: 20 * amount, bow: amount, roll: 0.05 * amount * performance.shakeSign };
  if (state === "forward") return { ...still, lean: 0.2 * amount, y: 4 * amount };
  if (state === "shaking") {
    const swing = performance.shakeSign * Math.cos((2 * Math.PI * seconds) / shakeSeconds) * Math.max(amount, 0.8);
    return { ...still, x: 16 * swing, roll: 0.06 * swing, yaw: swing, gazeX: -4 * swing };
  }
  return still;
}

/** 1 in the middle of a blink, 0 outside. */
function blinkAt(performance: Performance, seconds: number): number {
  const distance = Math.min(...performance.blinkSeconds.map((moment) => Math.abs(seconds - moment)), 9);
  return 1 - smooth(distance / blinkHalfSeconds);
}

/** Eases 0 to 1 into 0 to 1; flat outside. */
function smooth(x: number): number {
  const t = Math.min(1, Math.max(0, x));
  return t * t * (3 - 2 * t);
}
