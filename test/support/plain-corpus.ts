// A corpus of nobody's kind: flat pictures and tones, whose cues anyone can read of them. Bright or dark, high or low; a lamp
// that one clip has, and a wall that all have.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Sample } from "../../src/data/sample.ts";
import type { Cue } from "../../src/evidence/cue.ts";
import type { MediaClip } from "../../src/media/clip.ts";
import { encodeClip } from "../../src/media/encode/encode.ts";
import { createRandom } from "../../src/random.ts";

const size = 56;
const fps = 4;
const sampleRateHz = 16_000;

export interface PlainClip {
  readonly sample: Sample;
  readonly clip: MediaClip;
}

/** Without files. */
export function plainClips(numClips: number, seed = 1): PlainClip[] {
  const random = createRandom(seed);
  return Array.from({ length: numClips }, (_, i) => {
    const [isBright, isHigh] = [random.next() < 0.5, random.next() < 0.5];
    const video = [isBright ? "the room is bright" : "the room lies in darkness", "a wall behind her"];
    const cues = [
      ...[...video, ...(i === 0 ? ["a lamp on the table"] : [])].map((text): Cue => ({ kind: "video", text })),
      { kind: "audio", text: isHigh ? "her voice is shrill" : "a deep humming" } as const,
    ];
    const sample: Sample = {
      id: `plain-${i}`,
      media: `plain-${i}.mp4`,
      subtitle: "",
      labels: [isBright ? "happy" : "sad"],
      reasoning: `${cues.map(({ text }) => text).join(", ")}.`,
      cues,
    };
    return { sample, clip: plainClip(isBright, isHigh, random.next) };
  });
}

function plainClip(isBright: boolean, isHigh: boolean, next: () => number): MediaClip {
  const level = (isBright ? 200 : 30) + 20 * next();
  const frames = Uint8Array.from({ length: fps * size * size * 3 }, () => level + 20 * next());
  const hertz = (isHigh ? 2400 : 200) * (1 + 0.1 * next());
  const waveform = Float32Array.from(
    { length: sampleRateHz },
    (_, t) => 0.4 * Math.sin((2 * Math.PI * hertz * t) / sampleRateHz),
  );
  return { frames, numFrames: fps, height: size, width: size, fps, waveform, sampleRateHz, durationSeconds: 1 };
}

/** As files with a JSONL. @returns its path */
export async function writePlainCorpus(root: string, name: string, numClips: number, seed = 1): Promise<string> {
  mkdirSync(root, { recursive: true });
  const rows = plainClips(numClips, seed).map(({ sample, clip }) => {
    const id = `${name}-${sample.id}`;
    return { clip, sample: { ...sample, id, media: `${id}.mp4` } };
  });
  const frameBytes = size * size * 3;
  for (const { sample, clip } of rows) {
    const frames = Array.from({ length: clip.numFrames }, (_, f) =>
      clip.frames.subarray(f * frameBytes, (f + 1) * frameBytes),
    );
    await encodeClip(join(root, sample.media), { ...clip, frames });
  }
  const file = join(root, `${name}.jsonl`);
  writeFileSync(file, rows.map(({ sample }) => `${JSON.stringify(sample)}\n`).join(""));
  return file;
}
