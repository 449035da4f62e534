// A score report for a paper: a LaTeX table with a row per system and a column per set, and CSV with a row per number.
import { metricTitles } from "../../bench/mer-unibench/score-set.ts";
import type { Metric } from "../../bench/report.ts";
import { noteLines, stampLines } from "./notes.ts";
import { meanTitle, type ScoreReport } from "./report.ts";
import { percent } from "./rows.ts";

/** For booktabs. How the numbers came about stands above it, as comments. */
export function scoreLatex(report: ScoreReport): string {
  const sets = report.systems[0]?.sets ?? [];
  const hasMean = report.systems.some(({ mean }) => mean !== null);
  const comments = [...stampLines(report), ...noteLines(report)].map((line) => `% ${line.replace(/\s+/g, " ")}`);
  const header = ["", ...sets.map(({ title }) => title), ...(hasMean ? [meanTitle(report)] : [])].map(escaped);
  const metrics = ["", ...sets.map(({ metric }) => metricTitles[metric]), ...(hasMean ? [""] : [])].map(escaped);
  const rows = report.systems.map((system) => [
    escaped(system.name),
    ...system.sets.map((set) => percent(set.metrics[set.primary]!.value)),
    ...(hasMean ? [percent(system.mean?.value)] : []),
  ]);
  const line = (cells: readonly string[]) => `${cells.join(" & ")} \\\\`;
  return [
    ...comments,
    `\\begin{tabular}{l${"r".repeat(header.length - 1)}}`,
    "\\toprule",
    line(header),
    line(metrics),
    "\\midrule",
    ...rows.map(line),
    "\\bottomrule",
    "\\end{tabular}",
    "",
  ].join("\n");
}

const latexSigns: Readonly<Record<string, string>> = {
  "\\": "\\textbackslash{}",
  "~": "\\textasciitilde{}",
  "^": "\\textasciicircum{}",
};

/** Names come from files: they must be text and nothing else. */
function escaped(text: string): string {
  return text.replace(/[\p{Cc}\s]+/gu, " ").replace(/[\\~^&%$#_{}]/g, (sign) => latexSigns[sign] ?? `\\${sign}`);
}

const columns = ["system", "set", "split", "metric", "name", "primary", "value", "low", "high", "scored", "samples"];

/** Every number of every set, and the means, as fractions; fields are quoted where they must be (RFC 4180). */
export function scoreCsv(report: ScoreReport): string {
  const numbers = ({ value, low, high, count }: Metric) => [value ?? "", low ?? "", high ?? "", count];
  const rows = report.systems.flatMap(({ name, sets, mean }) => [
    ...sets.flatMap((set) =>
      Object.entries(set.metrics).map(([metric, values]) => {
        const what = [name, set.dataset, set.split ?? "", set.metric, metric, metric === set.primary ? 1 : 0];
        const more = [set.numSamples, set.checkpoint ?? "", set.polaritySource ?? "", set.extractor ?? ""];
        return [...what, ...numbers(values), ...more];
      }),
    ),
    ...(mean === null ? [] : [[name, meanTitle(report), "", "", "mean", 1, ...numbers(mean), "", "", "", ""]]),
  ]);
  const header = [...columns, "checkpoint", "polarity", "extractor", "lexicon", "lexicon_hash"];
  const { name, hash } = report.lexicon;
  return [header, ...rows.map((row) => [...row, name, hash])].map((row) => `${row.map(field).join(",")}\n`).join("");
}

function field(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
