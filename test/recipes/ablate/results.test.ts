// From measured runs to verdicts, tables and the page: planted effects are found, none is made up, and the forms are as they are read.
import assert from "node:assert/strict";
import { test } from "node:test";
import { meanMeasure } from "../../../src/bench/measure.ts";
import type { MeasuredRun } from "../../../src/bench/statistics/runs.ts";
import { createRandom } from "../../../src/random.ts";
import type { Grid } from "../../../src/recipes/ablate/grid.ts";
import { chooseRow, type GridResults, phaseResults } from "../../../src/recipes/ablate/results.ts";
import { figureGrid, tableColumns, tableGrid } from "../../../src/recipes/ablate/tables.ts";
import { csvText, latexText, markdownText, terminalText } from "../../../src/recipes/ablate/tables-out.ts";

const table = tableGrid("3");
const numClips = 60;

/** Three cold starts and three seeds of every row, around a rate for each score. */
function plantedRuns(grid: Grid, rateOf: (row: string, score: string) => number): Map<string, MeasuredRun[]> {
  return new Map(
    grid.rows.map(({ name }) => [
      name,
      [0, 1, 2].flatMap((start) =>
        (name === "sft" ? [0] : [0, 1, 2]).map((seed): MeasuredRun => {
          const random = createRandom(start * 100 + seed * 10 + 7 * name.length + name.charCodeAt(0));
          const measures = Object.fromEntries(
            grid.columns.map(({ score }) => [
              score,
              meanMeasure(
                "congruent",
                Array.from({ length: numClips }, () => (random.next() < rateOf(name, score) ? 1 : 0)),
              ),
            ]),
          );
          return { start: `${start}`, seed, measures };
        }),
      ),
    ]),
  );
}

function resultsOf(grid: Grid, rateOf: (row: string, score: string) => number): GridResults {
  const all = phaseResults(grid, plantedRuns(grid, rateOf), "test");
  return { grid, all, chosen: null, failures: [], seconds: 1 };
}

test("a planted difference holds, its opposite does not, and none cannot be told", () => {
  const planted = resultsOf(table, (row, score) => {
    if (score === "recall") return row === "oppo" ? 0.9 : 0.4;
    if (score === "accAudio") return row === "oppo" ? 0.2 : 0.7;
    return 0.5;
  });
  const verdict = (better: string, worse: string, score: string) =>
    planted.all.orderings.find((one) => one.better === better && one.worse === worse && one.score === score)?.verdict;
  for (const worse of ["baseline", "reward-only", "papo", "papo-dual"]) {
    assert.equal(verdict("oppo", worse, "recall"), "holds");
    assert.equal(verdict("oppo", worse, "accAudio"), "does not hold");
  }
  const equal = planted.all.orderings.filter(({ score }) => score === "emotionF1" || score === "accVideo");
  assert.ok(equal.length >= 20);
  assert.deepEqual([...new Set(equal.map((one) => one.verdict))], ["cannot tell"]);
  assert.deepEqual(planted.all.best, { recall: "oppo" }, "the largest is best only where a test says so");
  assert.equal(planted.all.orderings.find(({ better }) => better === "oppo")!.numPairs, 9);
  assert.equal(planted.all.rows[5]!.runs.length, 9);
});

test("every two rows that the paper tells apart are a statement, in the paper's order", () => {
  assert.equal(table.statements.length, 40);
  const inRecall = table.statements.filter(({ score }) => score === "recall");
  assert.ok(inRecall.some(({ better, worse }) => better === "papo-dual" && worse === "papo"));
  assert.match(inRecall[0]!.source, /Table 3, 62\.55 and 58\.00/);
  for (const name of ["4", "5", "6", "7"] as const) {
    const { rows, choice, statements } = tableGrid(name);
    assert.ok(choice !== null && rows.length >= 5);
    const names = rows.map((row) => row.name);
    for (const { better, worse } of statements) assert.ok(names.includes(better) && names.includes(worse));
  }
  const figure = figureGrid("3");
  assert.deepEqual(
    figure.statements.map(({ better, worse }) => [better, worse]),
    [
      ["beta=0.03", "reward-only"],
      ["beta=0.03", "beta=0.0075"],
      ["beta=0.03", "beta=0.015"],
      ["beta=0.03", "beta=0.0225"],
    ],
  );
});

test("a choice takes the largest mean of the columns, never the cold start, and nothing where nothing is measured", () => {
  const { all } = resultsOf(table, (row) => (row === "papo" ? 0.9 : row === "sft" ? 1 : 0.4));
  assert.equal(chooseRow(tableColumns, all)?.row, "papo");
  assert.equal(
    chooseRow(tableColumns, phaseResults(table, new Map(table.rows.map(({ name }) => [name, []])), "dev")),
    null,
  );
});

test("tables come as text, Markdown, LaTeX and CSV, with the paper's numbers and the missing cells", () => {
  const results = {
    ...resultsOf(table, (row) => (row === "oppo" ? 1 : 0.5)),
    failures: [{ cell: "papo, cold start mixed 1, seed 2", row: "papo", message: "failed: killed" }],
  };
  const terminal = terminalText(results);
  assert.match(terminal, /OPPO \(3 cold starts x 3 seeds\) +100\.0 \[/);
  assert.match(terminal, /paper +81\.05 +70\.44 +76\.40 +50\.60/);
  assert.match(terminal, /Missing cells:\n {2}papo, cold start mixed 1, seed 2: failed: killed/);
  const markdown = markdownText(results);
  assert.match(markdown, /\| OPPO \| 3 cold starts x 3 seeds \| \*\*100\.0 \[.*\]\*\* \| 81\.05 \|/);
  const [head, rule] = markdown.split("\n").slice(2, 4);
  assert.equal(head!.split("|").length, rule!.split("|").length);
  const latex = latexText(results).split("\n");
  assert.equal(latex[1], "\\begin{tabular}{lrrrrrrrr}");
  const row = latex.find((line) => line.startsWith("OPPO"))!;
  assert.match(row, /^OPPO & \\textbf\{100\.0\} \{\\scriptsize \[.*\]\} & 81\.05 & .* & 50\.60 \\\\$/);
  assert.equal(row.split(" & ").length, 9);
  assert.ok(
    latex.some((line) => line.startsWith("+ R\\_omni")),
    "what LaTeX reads is escaped",
  );
  const csv = csvText(results).trim().split("\n");
  assert.equal(csv[0], "grid,split,row,preset,swept,cold_start,seed,score,value,count,printed");
  assert.equal(csv.length, 1 + (3 + 5 * 9) * 4);
  assert.ok(csv.includes("table-3,test,oppo,oppo,,0,2,recall,1,60,70.44"));
  assert.ok(csv.some((line) => line.startsWith("table-3,test,sft,,,1,,recall,")));
});
