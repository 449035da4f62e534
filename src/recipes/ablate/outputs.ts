// What a grid leaves in its folder: the numbers as JSON and CSV, the table as Markdown and LaTeX, and a page that needs no server.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../run/checkpoint.ts";
import { readVersions } from "../../run/versions.ts";
import { torchVersion } from "../../tensor/index.ts";
import type { Cell, Shelf } from "./cells.ts";
import { gridPage } from "./page.ts";
import type { GridResults } from "./results.ts";
import { csvText, latexText, markdownText } from "./tables-out.ts";

export interface OutputFiles {
  readonly report: string;
  readonly results: string;
  readonly csv: string;
  readonly markdown: string;
  readonly latex: string;
}

export function writeOutputs(shelf: Shelf, cells: readonly Cell[], results: GridResults): OutputFiles {
  const folder = join(shelf.root, results.grid.name);
  mkdirSync(folder, { recursive: true });
  const files: OutputFiles = {
    report: join(folder, "report.html"),
    results: join(folder, "results.json"),
    csv: join(folder, "results.csv"),
    markdown: join(folder, "table.md"),
    latex: join(folder, "table.tex"),
  };
  replaceFile(files.results, `${JSON.stringify(jsonOf(shelf, cells, results), null, 1)}\n`);
  replaceFile(files.csv, csvText(results));
  replaceFile(files.markdown, markdownText(results));
  replaceFile(files.latex, latexText(results));
  replaceFile(files.report, gridPage(shelf, cells, results));
  return files;
}

/** The results with what they rest on: settings, versions, digests of cells and code. */
function jsonOf({ config, code }: Shelf, cells: readonly Cell[], results: GridResults): object {
  return {
    created: new Date().toISOString(),
    versions: readVersions(torchVersion()),
    config,
    code,
    ...results,
    cells: cells.map(({ row, start, training }) => ({
      ...{ row: row.name, start: start.index, startKey: start.key },
      ...(training === null ? {} : { seed: training.seed, key: training.key, config: training.config }),
    })),
  };
}
