// A grid's results as text: for the terminal, as Markdown, LaTeX and CSV. The paper's numbers stand in columns of their own.
import { formatDuration } from "../../run/progress.ts";
import type { GridColumn } from "./grid.ts";
import type { PlannedGrid } from "./plan.ts";
import type { GridResults, PhaseResults, RowResult } from "./results.ts";
import {
  choiceText,
  goalCounts,
  goalText,
  intervalText,
  numberText,
  orderingText,
  printedText,
  runsText,
  sourceText,
  unitsText,
  verdictCounts,
} from "./words.ts";

/** A cell of ours: value and interval. */
function ours(result: RowResult, column: GridColumn): readonly [value: string, interval: string] {
  const metric = result.report[column.score];
  if (metric === undefined || metric.value === null) return ["-", ""];
  return [numberText(metric.value, column), intervalText(metric, column)];
}

function hasPrinted({ rows }: PhaseResults): boolean {
  return rows.some(({ row }) => Object.keys(row.printed).length > 0 || row.printedAs !== undefined);
}

/** Where the numbers come from, how many of what each rests on, and what intervals are over. */
function measuredText(results: GridResults): string {
  const { count, intervals } = unitsText(results);
  const counts = countsText(results.all, results.grid.columns);
  return `${sourceText(results)}: ${counts} ${count}. In brackets: 95% intervals over ${intervals}`;
}

function countsText({ rows }: PhaseResults, columns: readonly GridColumn[]): string {
  const first = rows.find(({ report }) => columns.some(({ score }) => report[score] !== undefined));
  if (first === undefined) return "nothing measured";
  return columns.map(({ title, score }) => `${title} ${first.report[score]?.count ?? 0}`).join(", ");
}

export function terminalText(results: GridResults): string {
  const { grid, all, failures } = results;
  const widths = grid.columns.map(({ title }) => Math.max(22, title.length + 2));
  const lines = [
    grid.title,
    "",
    ["".padEnd(44), ...grid.columns.map(({ title }, i) => title.padStart(widths[i]!))].join(""),
    ...all.rows.flatMap((result) => {
      const cells = grid.columns.map((column) =>
        ours(result, column).join(" ").trim().padStart(widths[grid.columns.indexOf(column)]!),
      );
      const printed = grid.columns.map((column) =>
        (printedText(result.row, column) ?? "").padStart(widths[grid.columns.indexOf(column)]!),
      );
      const paper = result.row.printedAs ?? "paper";
      const own = [`${result.row.title} (${runsText(result)})`.padEnd(44), ...cells].join("");
      return printed.some((text) => text.trim() !== "") ? [own, [`  ${paper}`.padEnd(44), ...printed].join("")] : [own];
    }),
    "",
    `${measuredText(results)}.`,
  ];
  const choice = choiceText(results);
  if (choice !== null) lines.push("", choice);
  if (all.orderings.length > 0) {
    lines.push("", `The paper's orderings (${verdictCounts(all.orderings)}):`);
    lines.push(...all.orderings.map((ordering) => `  ${orderingText(ordering, results)}`));
  }
  if (all.goals.length > 0) {
    lines.push("", "Goals (met: on the right side with p below .01 after Holm's correction over the row's goals):");
    lines.push(...goalCounts(results).map((text) => `  ${text}`), "");
    lines.push(...all.goals.map((goal) => `  ${goalText(goal, results)}`));
  }
  if (failures.length > 0) {
    lines.push("", "Missing cells:", ...failures.map(({ cell, message }) => `  ${cell}: ${message}`));
  }
  return lines.join("\n");
}

export function markdownText(results: GridResults): string {
  const { grid, all, failures } = results;
  const printed = hasPrinted(all);
  const heads = grid.columns.flatMap(({ title, printedTitle }) => [
    title,
    ...(printed ? [`paper: ${printedTitle}`] : []),
  ]);
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const lines = [
    `# ${grid.title}`,
    "",
    row(["row", "runs", ...heads]),
    row(["---", "---", ...heads.map(() => "---:")]),
    ...all.rows.map((result) => {
      const name =
        result.row.printedAs === undefined ? result.row.title : `${result.row.title} (${result.row.printedAs})`;
      const cells = grid.columns.flatMap((column) => [
        emphasised(ours(result, column).join(" ").trim(), all.best[column.score] === result.row.name),
        ...(printed ? [printedText(result.row, column) ?? ""] : []),
      ]);
      return row([name, runsText(result), ...cells]);
    }),
    "",
    `${measuredText(results)}; bold: told apart from every other row by a paired test.`,
    ...grid.notes.flatMap((note) => ["", note]),
  ];
  const choice = choiceText(results);
  if (choice !== null) lines.push("", choice);
  if (all.orderings.length > 0) {
    lines.push("", `## The paper's orderings: ${verdictCounts(all.orderings)}`, "");
    lines.push(...all.orderings.map((ordering) => `- ${orderingText(ordering, results)}`));
  }
  if (all.goals.length > 0) {
    lines.push("", "## Goals", "", ...goalCounts(results).map((text) => `- ${text}`), "");
    lines.push(...all.goals.map((goal) => `- ${goalText(goal, results)}`));
  }
  if (failures.length > 0) {
    lines.push("", "## Missing cells", "", ...failures.map(({ cell, message }) => `- ${cell}: ${message}`));
  }
  return `${lines.join("\n")}\n`;
}

const emphasised = (text: string, isBest: boolean) => (isBest ? `**${text}**` : text);

export function latexText(results: GridResults): string {
  const { grid, all } = results;
  const printed = hasPrinted(all);
  const perColumn = printed ? 2 : 1;
  const heads = grid.columns.map(({ title }) => `\\multicolumn{${perColumn}}{c}{${escapeLatex(title)}}`);
  const under = grid.columns.flatMap(() => (printed ? ["here", "paper"] : ["here"]));
  const rows = all.rows.map((result) => {
    const cells = grid.columns.flatMap((column) => {
      const [value, interval] = ours(result, column);
      const number = all.best[column.score] === result.row.name ? `\\textbf{${value}}` : value;
      const own = value === "-" ? "--" : `${number} {\\scriptsize ${interval}}`;
      return [own, ...(printed ? [printedText(result.row, column) ?? ""] : [])];
    });
    return `${[escapeLatex(result.row.title), ...cells].join(" & ")} \\\\`;
  });
  return [
    "% Made by oppo ablate; needs booktabs.",
    `\\begin{tabular}{l${"r".repeat(perColumn * grid.columns.length)}}`,
    "\\toprule",
    `${["", ...heads].join(" & ")} \\\\`,
    ...(printed ? [`${["", ...under].join(" & ")} \\\\`] : []),
    "\\midrule",
    ...rows,
    "\\bottomrule",
    "\\end{tabular}",
    `% ${runsText(all.rows.at(-1)!)}; ${sourceText(results)}: ${countsText(all, grid.columns)} ${unitsText(results).count}`,
    "",
  ].join("\n");
}

function escapeLatex(text: string): string {
  return text
    .replaceAll(/[&%$#_{}]/g, "\\$&")
    .replaceAll("~", "\\textasciitilde{}")
    .replaceAll("^", "\\textasciicircum{}");
}

/** Every run's every score, one a line: for whoever computes on. */
export function csvText({ grid, all, chosen }: GridResults): string {
  const head = ["grid", "split", "row", "preset", "swept", "cold_start", "seed", "score", "value", "count", "printed"];
  const lines = [all, ...(chosen === null ? [] : [chosen.test])].flatMap(({ phase, rows }) =>
    rows.flatMap(({ row, report, runs }) =>
      runs.flatMap(({ start, seed, values }) =>
        Object.entries(values).map(([score, value]) => [
          ...[grid.name, phase, row.name, row.preset ?? "", row.swept ?? "", start, seed ?? "", score],
          ...[value ?? "", report[score]?.count ?? "", row.printed[score] ?? ""],
        ]),
      ),
    ),
  );
  return `${[head, ...lines].map((cells) => cells.map((cell) => quoted(String(cell))).join(",")).join("\n")}\n`;
}

function quoted(cell: string): string {
  return /[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

/** What `--dry-run` prints. */
export function planText(plan: PlannedGrid, numProcesses: number): string {
  const { grid, tasks, numCells, numMade, seconds, isMeasured } = plan;
  const lines = tasks.map(({ name, seconds: own }) =>
    own === null ? `  ${name}` : `  ${name.padEnd(60)} ${own.toFixed(0).padStart(5)} s`,
  );
  const basis = isMeasured
    ? "as measured in this folder"
    : "as on an idle core of a server; this folder has no times yet";
  const more = grid.choice === null ? [] : ["The chosen row's test comes on top."];
  return [
    `${grid.title}: ${numCells} cells of ${grid.rows.length} rows, ${numMade} of them made.`,
    ...(lines.length === 0 ? [] : ["To do:", ...lines]),
    seconds === null
      ? "How long that takes depends on the corpus and the model; oppo plan says what memory a step takes."
      : `About ${formatDuration(1000 * seconds)} with ${numProcesses} processes (${basis}).`,
    ...more,
  ].join("\n");
}
