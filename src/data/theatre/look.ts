// Who stands on the stage: everything about an actor and the set that is no cue, drawn from the scene's seed.

import { createRandom, type Random } from "../../random.ts";
import { pick } from "./draw.ts";
import type { Troupe } from "./troupes.ts";
import { type SkinTone, type StageColors, wardrobes } from "./wardrobe.ts";

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

export function drawLook(seed: number, troupe: Troupe = "first"): Look {
  const { skinTones, hairColors, scarfColors, clothes, stages, irisColors, jaw, maxOffset, scale } = wardrobes[troupe];
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
    jaw: between(jaw.low, jaw.high, random),
    hasLashes: isLongHaired || style === "scarf" || random.next() < 0.3,
    hasEarrings: isLongHaired && style !== "long" && random.next() < 0.6,
    hasFreckles: random.next() < 0.15,
    offset: { x: between(-maxOffset.x, maxOffset.x, random), y: between(-maxOffset.y, maxOffset.y, random) },
    scale: between(scale.low, scale.high, random),
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
