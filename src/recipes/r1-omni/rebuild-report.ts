// `oppo report` of a finished run of the four rows: table and page once more, from the answers that lie there.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { OppoError } from "../../error.ts";
import { resolveConfig } from "../../run/config.ts";
import { runPaths } from "./paths.ts";
import { publishedMaterial } from "./published-data.ts";
import { seedsOf } from "./results.ts";
import { rowNames, rowTitles } from "./rows.ts";
import { rOneOmniSettings } from "./settings.ts";
import { numSeeds, readTimings, type WrittenTable, writeTable } from "./table.ts";
import { theatreMaterial } from "./theatre-material.ts";

/** @throws OppoError ERR_DEMO_UNFINISHED, ConfigError of a run of another version */
export async function rebuildROneOmni(directory: string): Promise<WrittenTable> {
  const { run: _, ...config } = resolveConfig(rOneOmniSettings, { file: join(directory, "config.yaml") });
  const paths = runPaths(directory);
  // A run may have been called again with more; its numbers say with how many.
  const before = existsSync(paths.results)
    ? (JSON.parse(readFileSync(paths.results, "utf8")) as { seeds?: number })
    : {};
  const seeds = before.seeds ?? numSeeds(config);
  const material = config.theatre ? await theatreMaterial(config, paths) : await publishedMaterial(config, paths);
  const missing = rowNames.filter((row) =>
    seedsOf(row, seeds).some((seed) => material.sets.some(({ title }) => !existsSync(paths.answers(row, seed, title)))),
  );
  if (missing.length > 0) {
    throw new OppoError(
      "ERR_DEMO_UNFINISHED",
      `${directory}: expected the answers of every row and seed, got not all of ${missing.map((row) => rowTitles[row]).join(", ")}. Run "oppo r1-omni --run ${directory}" with its settings to its end.`,
    );
  }
  return writeTable(material, { seeds, config, timings: readTimings(paths) }, paths);
}
