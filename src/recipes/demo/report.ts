// The end of the demo: measured files in, results.json and report.html out.

import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { mediaPath } from "../../data/jsonl.ts";
import type { Sample } from "../../data/sample.ts";
import { decodeClip } from "../../media/isolated/index.ts";
import type { ArmResult, ClipStory } from "../../page/data.ts";
import { reportPage } from "../../page/page.ts";
import { frameUri } from "../../page/picture.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import type { DeepReadonly } from "../../run/config.ts";
import { readStepLog } from "../../run/metrics.ts";
import { readVersions } from "../../run/versions.ts";
import { torchVersion } from "../../tensor/index.ts";
import { presets } from "../../train/presets.ts";
import type { DemoConfig } from "./config.ts";
import { meanReport } from "./mean-report.ts";
import type { Measured } from "./measure.ts";
import type { DemoPaths } from "./paths.ts";
import { storyCaption, storyClips } from "./story-clips.ts";

export interface Timing {
  readonly stage: string;
  readonly seconds: number;
}

const similarityThreshold = 0.5;

/** @returns the arms' results, for the table in the terminal. */
export async function writeReport(
  paths: DemoPaths,
  config: DeepReadonly<DemoConfig>,
  timings: readonly Timing[],
): Promise<ArmResult[]> {
  const arms = [await armResult(paths, "sft", "SFT cold start", [0])];
  const seeds = Array.from({ length: config.seeds }, (_, seed) => seed);
  for (const name of config.arms) arms.push(await armResult(paths, name, presets[name].title, seeds));
  const versions = readVersions(torchVersion());
  const accuracy = Object.fromEntries(
    await Promise.all(
      ["video", "audio"].map(async (modality) => [
        modality,
        JSON.parse(await readFile(paths.towerAccuracy(modality), "utf8")),
      ]),
    ),
  );
  replaceFile(
    paths.results,
    `${JSON.stringify({ created: new Date().toISOString(), config, versions, timings, towerAccuracy: accuracy, arms: arms.map(({ curve: _, ...arm }) => arm) }, null, 1)}\n`,
  );
  const stories = await clipStories(paths, config, arms);
  const page = reportPage({
    title: "OPPO on the theatre: what each model claims to see and hear",
    created: new Date().toISOString(),
    arms,
    stories,
    similarityThreshold,
    timings,
    facts: [
      { name: "made", value: new Date().toISOString().slice(0, 16).replace("T", " ") },
      {
        name: "versions",
        value: `oppo ${versions.oppo}${versions.gitCommit ? ` (${versions.gitCommit.slice(0, 10)})` : ""}, libtorch ${versions.libtorch}, Node ${versions.node}`,
      },
      { name: "machine", value: `${cpus()[0]?.model ?? "unknown"}, ${config.workers} processes of one thread` },
      { name: "seeds", value: `corpus and cold start ${config.seed}; ${config.seeds} per arm` },
      {
        name: "clips",
        value: Object.entries(config.clips)
          .map(([split, count]) => `${split} ${count}`)
          .join(", "),
      },
    ],
  });
  replaceFile(paths.report, page);
  return arms;
}

async function readMeasured(paths: DemoPaths, name: string, seed: number): Promise<Measured> {
  return JSON.parse(await readFile(paths.measured(name, seed), "utf8")) as Measured;
}

async function armResult(paths: DemoPaths, name: string, title: string, seeds: readonly number[]): Promise<ArmResult> {
  const perSeed = await Promise.all(seeds.map(async (seed) => (await readMeasured(paths, name, seed)).report));
  const rows = seeds.map((seed) => (name === "sft" ? [] : readStepLog(join(paths.arm(name, seed), "metrics.jsonl"))));
  return {
    name,
    title,
    seeds,
    metrics: meanReport(perSeed),
    perSeed,
    curve: rows[0]! as unknown as Record<string, number>[],
    trainSeconds: rows.map((steps) => steps.reduce((sum, step) => sum + Number(step.step_time), 0)),
  };
}

async function clipStories(
  paths: DemoPaths,
  config: DeepReadonly<DemoConfig>,
  arms: readonly ArmResult[],
): Promise<ClipStory[]> {
  const told = new Map(
    await Promise.all(arms.map(async (arm) => [arm.name, (await readMeasured(paths, arm.name, 0)).stories] as const)),
  );
  const stories: ClipStory[] = [];
  for (const sample of await storyClips(paths, config.numStories)) {
    const split = String(sample.meta?.split);
    const file = mediaPath(paths.corpus(split), sample);
    stories.push({
      id: sample.id,
      caption: storyCaption(sample),
      mediaUri: `data:video/mp4;base64,${(await readFile(file)).toString("base64")}`,
      posterUri: await posterUri(file),
      subtitle: sample.subtitle,
      labels: sample.labels,
      cues: sample.cues,
      arms: arms.flatMap((arm) => {
        const story = told
          .get(arm.name)!
          .find(({ sampleId }: { sampleId: Sample["id"] }) => sampleId === sample.id)?.story;
        return story === undefined ? [] : [story];
      }),
    });
  }
  return stories;
}

/** A frame from the middle of the clip, where the cues are out. */
async function posterUri(file: string): Promise<string> {
  const clip = await decodeClip(file);
  return frameUri(clip, Math.floor(clip.numFrames / 2));
}
