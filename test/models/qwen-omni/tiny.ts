// A tiny thinker in a temporary directory, random clips and prompts: what the tests of the model share.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildTheatreTokenizer } from "../../../src/data/theatre/tokenizer.ts";
import type { MediaClip } from "../../../src/media/clip.ts";
import type { ModelPrompt } from "../../../src/models/omni-model.ts";
import type { ThinkerTokens } from "../../../src/models/qwen-omni/clips.ts";
import type { TinyOverrides } from "../../../src/models/qwen-omni/config/config-json.ts";
import { initTiny } from "../../../src/models/qwen-omni/init.ts";
import { loadThinker } from "../../../src/models/qwen-omni/load.ts";
import type { Thinker } from "../../../src/models/qwen-omni/thinker.ts";
import { noGrad } from "../../../src/tensor/index.ts";
import { testDevice } from "../../support/device.ts";

/** A temporary directory with a fresh tiny thinker; `remove` deletes it. */
export function tinyDirectory(seed: number, overrides: TinyOverrides = {}): { directory: string; remove(): void } {
  const directory = mkdtempSync(path.join(tmpdir(), "oppo-tiny-"));
  initTiny(directory, buildTheatreTokenizer(), seed, overrides);
  return { directory, remove: () => rmSync(directory, { recursive: true }) };
}

/** A fresh tiny thinker; the caller disposes it. */
export function tinyThinker(seed: number, overrides: TinyOverrides = {}): Thinker {
  const { directory, remove } = tinyDirectory(seed, overrides);
  try {
    return loadThinker(directory, { device: testDevice });
  } finally {
    remove();
  }
}

/** Two seconds of moving stripes with a tone, as the decoder would give them. */
export function stripes(seed: number): MediaClip {
  const numFrames = 4;
  const side = 256;
  const frames = new Uint8Array(numFrames * side * side * 3);
  for (let i = 0; i < frames.length; i++)
    frames[i] = 128 + 100 * Math.sin((i % (side * 3)) * 0.01 * (1 + seed) + i / (side * side));
  const waveform = Float32Array.from({ length: 32000 }, (_, i) => 0.3 * Math.sin((i * (2 + seed)) / 30));
  return { frames, numFrames, height: side, width: side, fps: 2, waveform, sampleRateHz: 16000, durationSeconds: 2 };
}

/** A prompt with what only the thinker reads of it. */
export interface ThinkerPrompt extends ModelPrompt {
  readonly tokens: ThinkerTokens;
}

/** Prompts with a clip (both modalities), without sound, and without any clip: three different lengths. */
export function mixedPrompts(model: Thinker): ThinkerPrompt[] {
  const both = model.features(model.fitClip(stripes(1)));
  const silent = { ...model.features(model.fitClip(stripes(2))), audio: null };
  const rows = noGrad(() => model.encode([both, silent]));
  return [
    { tokens: model.promptTokens("what does the person feel?", both), rows: rows[0]! },
    { tokens: model.promptTokens("does the video show a furrowed brow?", silent), rows: rows[1]! },
    { tokens: model.promptTokens("hello", { video: null, audio: null }), rows: null },
  ];
}
