// Looks at what the machine has for oppo, by using it: libtorch multiplies, FFmpeg writes a clip and reads it back. Each
// finding stands alone, so that one thing that is broken does not hide the others.

import { mkdtempSync, rmSync } from "node:fs";
import { freemem, tmpdir } from "node:os";
import { join } from "node:path";
import { formatBytes, freeBytes } from "../../run/disk.ts";
import { readVersions } from "../../run/versions.ts";

/** Example: `{ name: "libtorch", isWorking: true, text: "1.13.1, 1 thread, no CUDA", values: { version: "1.13.1" } }` */
export interface Finding {
  readonly name: string;
  readonly isWorking: boolean;
  /** For people: what was found, or why it does not work. */
  readonly text: string;
  /** The same for programs. */
  readonly values: Readonly<Record<string, string | number | boolean | null>>;
}

type Found = Pick<Finding, "text" | "values">;

/** Every finding, in a fixed order. */
export async function examine(): Promise<Finding[]> {
  return [
    await finding("oppo", examinePackage),
    await finding("machine", examineMachine),
    await finding("disk", examineDisk),
    await finding("libtorch", examineLibtorch),
    await finding("codecs", examineCodecs),
  ];
}

async function finding(name: string, look: () => Found | Promise<Found>): Promise<Finding> {
  try {
    return { name, isWorking: true, ...(await look()) };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { name, isWorking: false, text, values: {} };
  }
}

function examinePackage(): Found {
  const { oppo, gitCommit, node } = readVersions();
  const text = `${oppo}${gitCommit === null ? "" : ` (commit ${gitCommit.slice(0, 12)})`}, Node ${node}`;
  return { text, values: { version: oppo, gitCommit, node } };
}

function examineMachine(): Found {
  const { platform, processor, numProcessors, memoryBytes } = readVersions();
  const memory = `${formatBytes(memoryBytes)} memory, ${formatBytes(freemem())} free`;
  return {
    text: `${platform}, ${numProcessors} x ${processor}, ${memory}`,
    values: { platform, processor, numProcessors, memoryBytes, freeMemoryBytes: freemem() },
  };
}

function examineDisk(): Found {
  const free = freeBytes(process.cwd());
  return { text: `${formatBytes(free)} free in ${process.cwd()}`, values: { freeBytes: free } };
}

async function examineLibtorch(): Promise<Found> {
  const { cudaAvailable, numThreads, op, scope, torchVersion } = await import("../../tensor/index.ts");
  const product = scope(() =>
    op.matmul(op.full([1, 4], 0.5, { dtype: "float32" }), op.full([4, 1], 2, { dtype: "float32" })).item(),
  );
  if (product !== 4) throw new Error(`expected [0.5 x 4] x [2 x 4] to be 4, got ${product}. Build the addon anew.`);
  const [version, threads, cuda] = [torchVersion(), numThreads(), cudaAvailable()];
  return {
    text: `${version}, ${threads} thread${threads === 1 ? "" : "s"}, ${cuda ? "CUDA" : "no CUDA"}`,
    values: { version, threads, cuda },
  };
}

async function examineCodecs(): Promise<Found> {
  const [{ encodeClip }, { probeClip }] = await Promise.all([
    import("../../media/encode.ts"),
    import("../../media/container.ts"),
  ]);
  const folder = mkdtempSync(join(tmpdir(), "oppo-doctor-"));
  try {
    const path = join(folder, "clip.mp4");
    const [size, sampleRateHz, numFrames] = [64, 16_000, 5];
    const frames = Array.from({ length: numFrames }, (_, index) => new Uint8Array(size * size * 3).fill(index * 40));
    const waveform = Float32Array.from({ length: 3200 }, (_, index) => 0.3 * Math.sin(index / 8));
    await encodeClip(path, { width: size, height: size, fps: 25, frames, waveform, sampleRateHz });
    const { video, audio } = await probeClip(path);
    if (video === null || audio === null)
      throw new Error("expected a clip with picture and sound, got one without. Reinstall node-av.");
    return {
      text: `${video.codec} and ${audio.codec} written and read back`,
      values: { video: video.codec, audio: audio.codec },
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
