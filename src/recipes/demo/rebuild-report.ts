// `oppo report`: makes the page and the numbers of a finished demo again from what it measured.
import { existsSync, readFileSync } from "node:fs";
import { OppoError } from "../../error.ts";
import type { ArmResult } from "../../page/data.ts";
import { ConfigError, type DeepReadonly, resolveConfig } from "../../run/config.ts";
import { type DemoConfig, demoSchema } from "./config.ts";
import { demoPaths } from "./paths.ts";
import { type Timing, writeReport } from "./report.ts";

export interface RebuiltReport {
  readonly report: string;
  readonly results: string;
  readonly arms: readonly ArmResult[];
}

/** @throws OppoError ERR_NOT_A_DEMO, ERR_DEMO_UNFINISHED */
export async function rebuildReport(directory: string): Promise<RebuiltReport> {
  const paths = demoPaths(directory);
  const configFile = `${directory}/config.yaml`;
  if (!existsSync(configFile)) {
    throw new OppoError(
      "ERR_NOT_A_DEMO",
      `${directory}: expected the folder of a demo run or of another one, with a config.yaml, got none. Give the --run of "oppo demo", "oppo train" or "oppo sft", or the --out of "oppo mep run".`,
    );
  }
  const config = readDemoConfig(directory, configFile);
  const missing = [
    { name: "sft", seed: 0 },
    ...config.arms.flatMap((name) => Array.from({ length: config.seeds }, (_, seed) => ({ name, seed }))),
  ].filter(({ name, seed }) => !existsSync(paths.measured(name, seed)));
  if (missing.length > 0) {
    const names = missing.map(({ name, seed }) => (seed === 0 ? name : `${name} (seed ${seed})`));
    throw new OppoError(
      "ERR_DEMO_UNFINISHED",
      `${directory}: expected every arm to be measured, got none of ${names.join(", ")}. Run "oppo demo --run ${directory}" to its end.`,
    );
  }
  const timings = existsSync(paths.timings) ? (JSON.parse(readFileSync(paths.timings, "utf8")) as Timing[]) : [];
  const arms = await writeReport(paths, config, timings);
  return { report: paths.report, results: paths.results, arms };
}

function readDemoConfig(directory: string, configFile: string): DeepReadonly<DemoConfig> {
  try {
    return resolveConfig(demoSchema, { file: configFile });
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new OppoError(
      "ERR_NOT_A_DEMO",
      `${directory}: expected the folder of a demo run, got one with other settings (${cause.message}) Give the --run of "oppo demo".`,
      { cause },
    );
  }
}
