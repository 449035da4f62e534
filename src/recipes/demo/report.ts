// The end of the demo: measured files in, results.json and report.html out.

import { readFile } from "node:fs/promises";
import { cpus } from "node:os";
import { join } from "node:path";
import { defaultBootstrapOptions } from "../../bench/bootstrap.ts";
import { clearBest } from "../../bench/statistics/clear-best.ts";
import { type MeasuredRun, reportOfRuns } from "../../bench/statistics/runs.ts";
import { mediaPath } from "../../data/jsonl.ts";
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";
import { decodeClip } from "../../media/isolated/index.ts";
import type { ArmResult, ClipStory } from "../../page/data.ts";
import { metricRows } from "../../page/metric-rows.ts";
import { reportPage } from "../../page/page.ts";
import { frameUri } from "../../page/picture.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import type { DeepReadonly } from "../../run/config.ts";
import { readStepLog } from "../../run/metrics.ts";
import { readVersions } from "../../run/versions.ts";
import { torchVersion } from "../../tensor/index.ts";
import { demoArm } from "./arms.ts";
import type { DemoConfig } from "./config.ts";
import type { Measured } from "./measure.ts";
import { demoNotes } from "./notes.ts";
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
  const seeds = Array.from({ length: config.seeds }, (_, seed) => seed);
  const measured = [await measuredArm(paths, "sft", "SFT cold start", [0])];
  for (const name of config.arms) measured.push(await measuredArm(paths, name, demoArm(name).title, seeds));
  const arms = measured.map((arm) => armResult(paths, arm));
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
    best: clearlyBest(measured),
    stories,
    similarityThreshold,
    notes: demoNotes(config, arms),
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

interface MeasuredArm {
  readonly name: string;
  readonly title: string;
  readonly seeds: readonly number[];
  readonly perSeed: readonly Measured[];
  readonly runs: readonly MeasuredRun[];
}

/** @throws OppoError ERR_DEMO_UNFINISHED for what an older version measured */
async function measuredArm(
  paths: DemoPaths,
  name: string,
  title: string,
  seeds: readonly number[],
): Promise<MeasuredArm> {
  const perSeed = await Promise.all(seeds.map((seed) => readMeasured(paths, name, seed)));
  const runs = perSeed.map(({ measures, seed }) => ({ start: "sft", seed, measures }));
  return { name, title, seeds, perSeed, runs };
}

async function readMeasured(paths: DemoPaths, name: string, seed: number): Promise<Measured> {
  const file = paths.measured(name, seed);
  const measured = JSON.parse(await readFile(file, "utf8")) as Measured;
  if (measured.measures !== undefined) return measured;
  throw new OppoError(
    "ERR_DEMO_UNFINISHED",
    `${file}: expected what every clip gave to every score, got an older version's summary. Remove the file and run the demo again.`,
  );
}

function armResult(paths: DemoPaths, { name, title, seeds, perSeed, runs }: MeasuredArm): ArmResult {
  const rows = seeds.map((seed) => (name === "sft" ? [] : readStepLog(join(paths.arm(name, seed), "metrics.jsonl"))));
  return {
    name,
    title,
    seeds,
    metrics: reportOfRuns(runs, defaultBootstrapOptions),
    perSeed: perSeed.map(({ report }) => report),
    curve: rows[0]! as unknown as Record<string, number>[],
    trainSeconds: rows.map((steps) => steps.reduce((sum, step) => sum + Number(step.step_time), 0)),
  };
}

function clearlyBest(arms: readonly MeasuredArm[]): Map<string, number> {
  const runs = arms.map((arm) => arm.runs);
  return new Map(
    metricRows.flatMap(({ metric, better }) => {
      const best = better === "near-half" ? null : clearBest(runs, metric, better, defaultBootstrapOptions);
      return best === null ? [] : [[metric, best]];
    }),
  );
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
