// The reference's numbers on a tiny HumanOmni (shared folder golden/humanomni) and the checkpoint that they were made with.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Checkpoint, readCheckpoint } from "../../../src/models/human-omni/checkpoint.ts";
import type { HumanOmniFeatures } from "../../../src/models/human-omni/clips.ts";
import { soundFeatures, videoFeatures } from "../../../src/models/human-omni/clips.ts";
import type { HumanOmniConfig } from "../../../src/models/human-omni/config/config.ts";
import { noGrad, openSafetensors, type SafetensorsFile, scope, type Tensor } from "../../../src/tensor/index.ts";
import { onHost, testDevice } from "../../support/device.ts";
import { sharedPath } from "../../support/shared.ts";

export const goldenRoot = sharedPath("golden/humanomni");
export const goldenOptions = goldenRoot === null ? { skip: "golden/humanomni is absent" } : {};

export const modelFolder = (): string => join(goldenRoot!, "model");

export function goldenJson<T>(name: string): T {
  return JSON.parse(readFileSync(join(goldenRoot!, name), "utf8")) as T;
}

/** Runs a body on a golden file, without gradients unless it asks for them; its tensors go with it. */
export function withGolden(name: string, body: (file: SafetensorsFile) => void): void {
  using file = openSafetensors(join(goldenRoot!, name));
  noGrad(() => scope(() => body(file)));
}

/** The golden checkpoint, disposed afterwards. */
export function withCheckpoint(body: (checkpoint: Checkpoint) => void): void {
  const checkpoint = readCheckpoint(modelFolder(), { device: testDevice });
  try {
    noGrad(() => scope(() => body(checkpoint)));
  } finally {
    for (const parameter of [...checkpoint.parameters.values(), ...checkpoint.unused.values()]) parameter.dispose();
  }
}

/** Largest difference of two tensors of one shape. */
export function distance(got: Tensor, want: Tensor): number {
  return scope(() => {
    const host = onHost(got).to("float32");
    if (host.shape.join() !== want.shape.join())
      throw new Error(`shape ${host.shape.join()}, expected ${want.shape.join()}`);
    return host.sub(want).abs().max().item();
  });
}

/** How frames of the golden clip became square. */
export type Look = "squash" | "pad";

/** The features of the golden clip: its frames at the tower's size, and its mel. */
export function goldenFeatures(config: HumanOmniConfig, look: Look): Record<"video" | "audio", HumanOmniFeatures> {
  using file = openSafetensors(join(goldenRoot!, "media.safetensors"));
  return scope(() => {
    const pixels = file.tensor(`pixel_u8_${look}`); // [T, side, side, 3]
    const frames = Uint8Array.from(pixels.to("int32").toInt32Array());
    const mel = file.tensor("mel").toFloat32Array();
    return {
      video: { video: videoFeatures(frames, pixels.size(0), config), audio: null },
      audio: { video: null, audio: soundFeatures(mel, config) },
    };
  });
}

export interface CaseInfo {
  readonly prompt: string | null;
  readonly question?: string;
  readonly modal?: string;
  readonly bert_text: string | readonly string[];
  readonly user_text?: readonly string[];
  readonly answers?: readonly string[];
  readonly blocks?: readonly (readonly (readonly [string, number, number])[])[];
  readonly completions?: readonly string[];
}
