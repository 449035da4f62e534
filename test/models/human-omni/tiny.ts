// A tiny HumanOmni in a temporary directory, with clips of moving stripes and a tone: what the tests of the model share.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildTheatreTokenizer } from "../../../src/data/theatre/tokenizer.ts";
import type { MediaClip } from "../../../src/media/clip.ts";
import type { HumanOmni } from "../../../src/models/human-omni/human-omni.ts";
import { initHumanOmni } from "../../../src/models/human-omni/init.ts";
import { loadHumanOmni } from "../../../src/models/human-omni/load.ts";
import type { ClipFeatures, ModelPrompt } from "../../../src/models/omni-model.ts";
import { noGrad } from "../../../src/tensor/index.ts";
import { testDevice } from "../../support/device.ts";

/** A temporary directory with a fresh tiny model; `remove` deletes it. */
export function tinyDirectory(seed: number): { directory: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), "oppo-human-"));
  initHumanOmni(directory, "tiny", buildTheatreTokenizer(), { seed, dtype: "float32" });
  return { directory, remove: () => rmSync(directory, { recursive: true }) };
}

export function tinyHumanOmni(seed: number): HumanOmni {
  const { directory, remove } = tinyDirectory(seed);
  try {
    // Mapped files outlive their names.
    return loadHumanOmni(directory, { device: testDevice });
  } finally {
    remove();
  }
}

const SAMPLE_RATE = 16000;

/** Two seconds of stripes that move by `pace` pixels a frame, with a tone that belongs to it. */
export function stripes(pace: number): MediaClip {
  const [numFrames, height, width] = [8, 60, 80];
  const frames = new Uint8Array(numFrames * height * width * 3);
  for (let t = 0, at = 0; t < numFrames; t++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++, at += 3) {
        frames[at] = (16 * (x + pace * t)) % 256;
        frames[at + 1] = (8 * (y + pace)) % 256;
        frames[at + 2] = 100 + 20 * pace;
      }
    }
  }
  const waveform = Float32Array.from({ length: 2 * SAMPLE_RATE }, (_, i) => 0.3 * Math.sin((i * pace) / 9));
  return { frames, numFrames, height, width, fps: 4, waveform, sampleRateHz: SAMPLE_RATE, durationSeconds: 2 };
}

/** What a prompt shows of a clip. */
export type Shown = "both" | "video" | "audio" | "text";

export function shownFeatures(model: HumanOmni, pace: number, shown: Shown): ClipFeatures {
  const { video, audio } = model.features(model.fitClip(stripes(pace)));
  return {
    video: shown === "both" || shown === "video" ? video : null,
    audio: shown === "both" || shown === "audio" ? audio : null,
  };
}

/** A prompt about a clip in the current grad mode; its rows are the caller's scope's. */
export function promptAbout(model: HumanOmni, question: string, pace: number, shown: Shown = "both"): ModelPrompt {
  const features = shownFeatures(model, pace, shown);
  const tokens = model.promptTokens(question, features);
  return {
    tokens,
    rows: shown === "text" ? null : model.encode([features as Parameters<HumanOmni["encode"]>[0][0]])[0]!,
  };
}

/** Prompts of every kind and of different lengths. */
export function mixedPrompts(model: HumanOmni): ModelPrompt[] {
  return noGrad(() => [
    promptAbout(model, "What does the person feel, and why?", 1),
    promptAbout(model, "no", 2, "video"),
    promptAbout(model, "How does the voice sound?", 3, "audio"),
    promptAbout(model, "Are you there? <audio>", 4, "text"),
  ]);
}

export const seedsOf = (count: number): number[] => Array.from({ length: count }, (_, i) => 1000 + 7 * i);
