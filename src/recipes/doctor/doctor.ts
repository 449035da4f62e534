// Looks at what the machine has for oppo, by using it: libtorch multiplies, FFmpeg writes a clip and reads it back. Each
// finding stands alone, so that one thing that is broken does not hide the others, and says how it is mended.

import { accessSync, constants, existsSync, rmSync } from "node:fs";
import { freemem } from "node:os";
import { dirname, join } from "node:path";
import { formatBytes, freeBytes } from "../../run/disk.ts";
import { oppoHome } from "../../run/lexicon-store.ts";
import { readVersions } from "../../run/versions.ts";
import { makeTemporaryFolder } from "../../temporary-files.ts";
import type { Environment, Finding, Found } from "./finding.ts";
import { examineAddon, examineCompiler, examineLibtorch } from "./native-findings.ts";

const nodeFloor = 20;

/** Every finding, in a fixed order. */
export async function examine(environment: Environment): Promise<Finding[]> {
  return [
    await finding("oppo", examinePackage),
    await finding("node", examineNode),
    await finding("machine", examineMachine),
    await finding("disk", examineDisk),
    await finding("home", () => examineHome(environment)),
    await finding("compiler", () => examineCompiler(environment)),
    await finding("libtorch", examineLibtorch),
    await finding("addon", () => examineAddon(environment)),
    await finding("codecs", examineCodecs),
  ];
}

async function finding(name: string, look: () => Found | Promise<Found>): Promise<Finding> {
  const plain = { name, isWorking: true, values: {}, mend: [] };
  try {
    return { ...plain, ...(await look()) };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { ...plain, isWorking: false, text };
  }
}

function examinePackage(): Found {
  const { oppo, gitCommit } = readVersions();
  const text = `${oppo}${gitCommit === null ? "" : ` (commit ${gitCommit.slice(0, 12)})`}`;
  return { text, values: { version: oppo, gitCommit } };
}

function examineNode(): Found {
  const { node } = readVersions();
  const isWorking = Number(node.split(".")[0]) >= nodeFloor;
  const mend = isWorking ? [] : [`install Node ${nodeFloor} or newer`];
  return { isWorking, text: `${node} (${process.execPath})`, values: { version: node }, mend };
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

/** Where lexicons, answers and models are kept for this user. */
function examineHome(environment: Environment): Found {
  const folder = oppoHome(environment);
  let existing = folder;
  while (!existsSync(existing)) existing = dirname(existing);
  try {
    accessSync(existing, constants.W_OK);
  } catch {
    const mend = ["give yourself the right to write there, or set OPPO_HOME to another folder"];
    return { isWorking: false, text: `${folder}, which cannot be written to`, values: { folder }, mend };
  }
  const state = existsSync(folder) ? "" : " (made when it is needed)";
  const free = freeBytes(folder);
  return { text: `${folder}${state}, ${formatBytes(free)} free`, values: { folder, freeBytes: free } };
}

async function examineCodecs(): Promise<Found> {
  const mend = [
    "install the npm packages again, with the optional ones: node-av brings FFmpeg for each platform as one",
  ];
  try {
    const { video, audio } = await writeAndProbe();
    return { text: `${video} and ${audio} written and read back (FFmpeg in node-av)`, values: { video, audio } };
  } catch (error) {
    return { isWorking: false, text: error instanceof Error ? error.message : String(error), mend };
  }
}

async function writeAndProbe(): Promise<{ video: string; audio: string }> {
  const [{ encodeClip }, { probeClip }] = await Promise.all([
    import("../../media/encode/encode.ts"),
    import("../../media/isolated/index.ts"),
  ]);
  const folder = makeTemporaryFolder("doctor");
  try {
    const path = join(folder, "clip.mp4");
    const [size, sampleRateHz, numFrames] = [64, 16_000, 5];
    const frames = Array.from({ length: numFrames }, (_, index) => new Uint8Array(size * size * 3).fill(index * 40));
    const waveform = Float32Array.from({ length: 3200 }, (_, index) => 0.3 * Math.sin(index / 8));
    await encodeClip(path, { width: size, height: size, fps: 25, frames, waveform, sampleRateHz });
    const { video, audio } = await probeClip(path);
    if (video === null || audio === null) throw new Error("expected a clip with picture and sound, got one without");
    return { video: video.codec, audio: audio.codec };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
