// What the demo trains and compares: presets from its cold start, and one control that starts from a cold start of its own.
import type { ColdStart } from "../../data/theatre/world.ts";
import { type PresetName, presets } from "../../train/presets.ts";

export interface DemoArm {
  readonly preset: PresetName;
  readonly title: string;
  /** What its cold start was told of clips that lack a picture or a sound; null: the demo's own cold start. */
  readonly coldStart: ColdStart | null;
}

/** Whether right labels do without the perception loss what it does to wrong ones. */
export const honestArm = "honest-labels";

const controls: Readonly<Record<typeof honestArm, DemoArm>> = {
  [honestArm]: { preset: "reward-only", title: "honest, + R_omni", coldStart: "honest" },
};

export type ArmName = PresetName | typeof honestArm;

export const armNames = [...new Set([...Object.keys(presets), ...Object.keys(controls)])] as [ArmName, ...ArmName[]];

export function demoArm(name: ArmName): DemoArm {
  if (name === honestArm) return controls[name];
  return { preset: name, title: presets[name].title, coldStart: null };
}

interface Starts {
  readonly arms: readonly ArmName[];
  /** Of the demo's own. */
  readonly sft: { readonly coldStart: ColdStart };
}

/** Every cold start that the arms begin with, the demo's own first. */
export function coldStartsOf({ arms, sft }: Starts): ColdStart[] {
  return [...new Set([sft.coldStart, ...arms.flatMap((name) => demoArm(name).coldStart ?? [])])];
}
