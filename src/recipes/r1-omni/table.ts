// The table of a run whose answers are there: results.json and the page.
import { existsSync, readFileSync } from "node:fs";
import { replaceFile } from "../../run/checkpoint.ts";
import type { Material } from "./material.ts";
import { resultsPage, type Timing } from "./page.ts";
import type { RunPaths } from "./paths.ts";
import { type Results, resultsOf } from "./results.ts";
import type { ROneOmniConfig } from "./settings.ts";

export interface TableRun {
  readonly seeds: number;
  readonly config: ROneOmniConfig;
  readonly timings: readonly Timing[];
}

export interface WrittenTable {
  readonly results: Results;
  readonly report: string;
  readonly resultsFile: string;
}

export const numSeeds = ({ seeds, theatre }: ROneOmniConfig): number => seeds ?? (theatre ? 8 : 1);

export function readTimings({ timings }: RunPaths): Timing[] {
  return existsSync(timings) ? (JSON.parse(readFileSync(timings, "utf8")) as Timing[]) : [];
}

export async function writeTable(
  material: Material,
  { seeds, config, timings }: TableRun,
  paths: RunPaths,
): Promise<WrittenTable> {
  const { theatre } = config;
  const results = resultsOf(material.sets, seeds, paths);
  replaceFile(paths.results, `${JSON.stringify({ seeds, ...results }, null, 1)}\n`);
  const title = theatre ? "R1-Omni's Table 1 on the theatre" : "R1-Omni's Table 1";
  const notes = theatre ? [theatreNote(config)] : [];
  replaceFile(paths.report, await resultsPage({ title, results, sets: material.sets, timings, notes }, paths));
  return { results, report: paths.report, resultsFile: paths.results };
}

function theatreNote({ play }: ROneOmniConfig): string {
  const { base, cold, labels } = play.clips;
  return `A HumanOmni of about a million parameters. Base: ${base} clips described in free words, three for each emotion, of which one is the label. Cold start: ${cold} clips with reasonings, in free words too. Label SFT and RLVR: ${labels} clips with a label alone. The second troupe has other faces, voices, lines and another camera; published numbers are of other data and no measure of these.`;
}
