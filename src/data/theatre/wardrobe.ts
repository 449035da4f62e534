// What a troupe draws its looks from: colours of skins, hair, clothes and sets, and where the camera puts the actor.
import type { Troupe } from "./troupes.ts";

/** CSS colours of one skin tone. Lips are much redder than the skin on all of them: mouths must read on every face. */
export interface SkinTone {
  readonly light: string;
  readonly base: string;
  readonly shade: string;
  readonly blush: string;
  readonly lips: string;
}

/** CSS colours of one set: wall, spotlight, curtain. */
export interface StageColors {
  readonly wall: readonly [top: string, bottom: string];
  readonly glow: string;
  readonly curtain: readonly [light: string, dark: string];
}

type Dye = readonly [color: string, shine: string];

interface Range {
  readonly low: number;
  readonly high: number;
}

export interface Wardrobe {
  readonly skinTones: readonly SkinTone[];
  readonly hairColors: readonly Dye[];
  readonly scarfColors: readonly Dye[];
  readonly clothes: readonly (readonly [color: string, shade: string, trim: string])[];
  readonly stages: readonly StageColors[];
  readonly irisColors: readonly string[];
  /** Half the width of the jaw relative to the usual one. */
  readonly jaw: Range;
  /** Greatest shift of the actor from the middle, in pixels of a 256-pixel stage. */
  readonly maxOffset: { readonly x: number; readonly y: number };
  readonly scale: Range;
}

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

const first: Wardrobe = {
  ...{ skinTones, hairColors, scarfColors, clothes, stages, irisColors },
  jaw: { low: 0.92, high: 1.06 },
  maxOffset: { x: 4, y: 3 },
  scale: { low: 1.13, high: 1.18 },
};

/** Skins between and beyond the first's, other dyes and cloths, darker sets, rounder and narrower jaws, a camera farther off. */
const second: Wardrobe = {
  skinTones: [
    { light: "#f7e6d8", base: "#efcfbb", shade: "#cf9f86", blush: "#e7958a", lips: "#c2454f" },
    { light: "#e8b88a", base: "#d19562", shade: "#ab7142", blush: "#cc6a50", lips: "#b83339" },
    { light: "#8a5a40", base: "#704430", shade: "#532f20", blush: "#7d3a30", lips: "#c73c44" },
  ],
  hairColors: [
    ["#1d2a35", "#36495a"],
    ["#7a2f4a", "#9c4a66"],
    ["#b8a58c", "#d8c8b0"],
    ["#5a4a2a", "#7d6a40"],
  ],
  scarfColors: [
    ["#c9953f", "#e3b765"],
    ["#4d4a7d", "#6d6a9f"],
  ],
  clothes: [
    ["#2f3e4e", "#202c39", "#8aa0b4"],
    ["#8a8f3a", "#696d2a", "#d8dba0"],
    ["#b04a2f", "#853521", "#e8a890"],
    ["#d5a9b8", "#b08494", "#f5e0e8"],
  ],
  stages: [
    { wall: ["#b9c0c8", "#8f99a5"], glow: "#dfe6ee", curtain: ["#3b4652", "#232b34"] },
    { wall: ["#c9b9a2", "#a08c70"], glow: "#eee0c8", curtain: ["#5c4a34", "#3b2e1f"] },
    { wall: ["#a9c0ae", "#7d9a85"], glow: "#d5e8da", curtain: ["#6e2f4d", "#481c31"] },
  ],
  irisColors: ["#6b7f8c", "#3a4a2a", "#4a2f1a"],
  jaw: { low: 1.05, high: 1.14 },
  maxOffset: { x: 9, y: 6 },
  scale: { low: 1.03, high: 1.09 },
};

export const wardrobes: Readonly<Record<Troupe, Wardrobe>> = { first, second };
