// Who stands on the stage: everything about an actor and the set that is no cue, drawn from the scene's seed.

import { createRandom, type Random } from "../../random.ts";
import { pick } from "./draw.ts";

/** CSS colours of one skin tone. Lips are much redder than the skin on all of them: mouths must read on every face. */
interface SkinTone {
  readonly light: string;
  readonly base: string;
  readonly shade: string;
  readonly blush: string;
  readonly lips: string;
}

/** CSS colours of one set: wall, spotlight, curtain. */
interface StageColors {
  readonly wall: readonly [top: string, bottom: string];
  readonly glow: string;
  readonly curtain: readonly [light: string, dark: string];
}

export const hairStyles = ["crop", "parted", "bob", "long", "curly", "bun", "scarf"] as const;
export type HairStyle = (typeof hairStyles)[number];

export interface Look {
  readonly skin: SkinTone;
  readonly hair: { readonly style: HairStyle; readonly color: string; readonly shine: string };
  readonly browColor: string;
  readonly iris: string;
  readonly clothes: { readonly color: string; readonly shade: string; readonly trim: string; readonly collar: Collar };
  readonly stage: StageColors;
  /** Half the width of the jaw relative to the usual one. */
  readonly jaw: number;
  readonly hasLashes: boolean;
  readonly hasEarrings: boolean;
  readonly hasFreckles: boolean;
  /** Where the actor stands and how large, in pixels of a 256-pixel stage. */
  readonly offset: { readonly x: number; readonly y: number };
  readonly scale: number;
}

export type Collar = "round" | "shirt" | "turtleneck";

const skinTones: readonly SkinTone[] = [
  { light: "#ffe3d0", base: "#fbd0b4", shade: "#e5a888", blush: "#f59a8b", lips: "#cf4b4b" },
  { light: "#fcd9bb", base: "#f2c09a", shade: "#d69a72", blush: "#ee8a72", lips: "#c8403f" },
  { light: "#f0c69c", base: "#e0a976", shade: "#bd8353", blush: "#da7658", lips: "#c03a3a" },
  { light: "#d9a273", base: "#c4864f", shade: "#9f6739", blush: "#bf5f45", lips: "#bb2f33" },
  { light: "#b77f54", base: "#9c643c", shade: "#7b4b2a", blush: "#a34c3a", lips: "#c8383d" },
  { light: "#9d694c", base: "#84523a", shade: "#633b28", blush: "#8e4034", lips: "#d23f45" },
];

const hairColors: readonly (readonly [color: string, shine: string])[] = [
  ["#2b2230", "#4a3d52"],
  ["#3d2a22", "#5e4335"],
  ["#6b4226", "#8c5c38"],
  ["#9c5a2c", "#c07c46"],
  ["#d9a853", "#efc97f"],
  ["#a83f2a", "#cb6244"],
  ["#8e8c94", "#b3b1b9"],
];

const scarfColors: readonly (readonly [color: string, shine: string])[] = [
  ["#5b7fa6", "#7d9fc4"],
  ["#a3586d", "#c27a8d"],
  ["#5f8f76", "#82ae97"],
];

const clothes: readonly (readonly [color: string, shade: string, trim: string])[] = [
  ["#e2725b", "#bd5643", "#f6b9a8"],
  ["#3f8f8b", "#2f6d6b", "#a6d8d2"],
  ["#5a6fb0", "#445590", "#bcc7ee"],
  ["#e0a63a", "#b9832a", "#f7dda0"],
  ["#7d5a9b", "#61437c", "#cfb7e4"],
  ["#5d8f57", "#456f41", "#c0ddb8"],
  ["#f1ece2", "#cfc7b8", "#b98f6c"],
  ["#c25b7c", "#9a4360", "#f0b9cb"],
];

const stages: readonly StageColors[] = [
  { wall: ["#f7e3c8", "#e9c3a0"], glow: "#fff6e3", curtain: ["#b5443c", "#7f2a2b"] },
  { wall: ["#d5e8e4", "#a7cdc8"], glow: "#f4fffb", curtain: ["#2f7f80", "#1d5659"] },
  { wall: ["#e3dcf2", "#bfb2df"], glow: "#fbf8ff", curtain: ["#6a4a93", "#472f68"] },
  { wall: ["#dbe7f5", "#adc5e4"], glow: "#f8fcff", curtain: ["#34568b", "#213a63"] },
  { wall: ["#fbe6cf", "#f3c58e"], glow: "#fffaf0", curtain: ["#c9782d", "#92521a"] },
  { wall: ["#e2ecd4", "#b9d09b"], glow: "#fbfff2", curtain: ["#527a3c", "#365527"] },
];

const irisColors = ["#5a3a22", "#3e6b8f", "#4c7a4a", "#2f2a2a", "#7a5a2c"];

/** Greatest shift of the actor from the middle, in pixels. */
const maxOffset = { x: 4, y: 3 };
const scaleRange = { low: 1.13, high: 1.18 };

export function drawLook(seed: number): Look {
  const random = createRandom(seed ^ 0x10041);
  const style = pick(hairStyles, random);
  const [hairColor, shine] = pick(style === "scarf" ? scarfColors : hairColors, random);
  const [color, shade, trim] = pick(clothes, random);
  const isLongHaired = style === "bob" || style === "long" || style === "bun";
  return {
    skin: pick(skinTones, random),
    hair: { style, color: hairColor, shine },
    browColor: style === "scarf" || hairColor === "#d9a853" ? "#4a3226" : darker(hairColor),
    iris: pick(irisColors, random),
    clothes: { color, shade, trim, collar: pick(["round", "shirt", "turtleneck"] as const, random) },
    stage: pick(stages, random),
    jaw: between(0.92, 1.06, random),
    hasLashes: isLongHaired || style === "scarf" || random.next() < 0.3,
    hasEarrings: isLongHaired && style !== "long" && random.next() < 0.6,
    hasFreckles: random.next() < 0.15,
    offset: { x: between(-maxOffset.x, maxOffset.x, random), y: between(-maxOffset.y, maxOffset.y, random) },
    scale: between(scaleRange.low, scaleRange.high, random),
  };
}

function between(low: number, high: number, random: Random): number {
  return low + (high - low) * random.next();
}

/** Brows read best a shade darker than the hair. */
function darker(hex: string): string {
  const channels = [1, 3, 5].map((at) => Math.round(Number.parseInt(hex.slice(at, at + 2), 16) * 0.72));
  return `#${channels.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}
