// The paper's ablations as grids (OPPO, arXiv 2606.25325): what it printed or said stands beside what is run. Which sweep has which
// number among Tables 4 to 7 is our order; of the sweeps the paper's words are known, not its cells.
import { paperTerms } from "../../rl/rewards/terms.ts";
import type { PresetName } from "../../train/presets.ts";
import type { Grid, GridColumn, GridRow, Statement } from "./grid.ts";

export const tableColumns: readonly GridColumn[] = [
  column("emotionF1", "Emotion F1", "MER-UniBench"),
  column("recall", "Recall", "Recall"),
  column("accVideo", "Acc@V", "Acc@V"),
  column("accAudio", "Acc@A", "Acc@A"),
];

function column(score: string, title: string, printedTitle: string): GridColumn {
  return { score, title, printedTitle, better: "higher", isShare: true };
}

export const tableCurves = [
  { metric: "reward", title: "Reward" },
  { metric: "rewards/omni/mean", title: "R_omni (0 to 3)" },
  { metric: "rewards/format/mean", title: "Format" },
  { metric: "kl", title: "KL to the reference" },
] as const;

const often = { numStarts: 3, numSeeds: 3 } as const;
const suite = { suite: true, conditions: [] } as const;
const asPrinted =
  "The paper's numbers are as printed, of Qwen2.5-Omni on MER-UniBench and MEP-Bench; its headline mean of 81.05 does not follow from its own nine columns (80.94).";

/** Table 3, in percent. */
const printedRows: readonly (readonly [PresetName, string, readonly number[]])[] = [
  ["baseline", "Baseline", [77.87, 58.0, 59.2, 33.0]],
  ["reward-only", "+ R_omni", [79.45, 62.55, 64.8, 39.4]],
  ["papo", "+ PAPO", [79.34, 58.29, 62.0, 34.6]],
  ["papo-dual", "+ PAPO-dual", [79.23, 60.58, 65.2, 34.8]],
  ["oppo", "OPPO", [81.05, 70.44, 76.4, 50.6]],
];

const coldStartRow: GridRow = {
  ...{ name: "sft", title: "Cold start", preset: null, overrides: [], start: "mixed", swept: null, printed: {} },
};

function table3(): Grid {
  const rows = printedRows.map(([preset, title, numbers]): GridRow => {
    const printed = Object.fromEntries(tableColumns.map(({ score }, i) => [score, numbers[i]!]));
    return { ...coldStartRow, name: preset, title, preset, printed };
  });
  return {
    ...{ name: "table-3", title: "Table 3: the reward and the perception losses", columns: tableColumns },
    rows: [coldStartRow, ...rows],
    statements: printedStatements(rows, "Table 3"),
    ...{ evaluation: suite, choice: null, curves: tableCurves, ...often },
    notes: [
      asPrinted,
      "OPPO and both PAPO rows add to + R_omni, as in the paper. Settings that the paper leaves open are ours (docs/paper.md).",
    ],
  };
}

/** Of every two rows that the paper tells apart, the one with the larger number. */
function printedStatements(rows: readonly GridRow[], source: string): Statement[] {
  return tableColumns.flatMap(({ score }) =>
    rows.flatMap((row, i) =>
      rows.slice(i + 1).flatMap((other) => {
        const [one, two] = [row.printed[score]!, other.printed[score]!];
        if (one === two) return [];
        const [better, worse] = one > two ? [row.name, other.name] : [other.name, row.name];
        return [
          {
            better,
            worse,
            score,
            source: `${source}, ${Math.max(one, two).toFixed(2)} and ${Math.min(one, two).toFixed(2)}`,
          },
        ];
      }),
    ),
  );
}

interface Sweep {
  readonly symbol: string;
  readonly title: string;
  /** Ours, with what the paper calls it where its scale is another. */
  readonly values: readonly (readonly [value: number | "mixed", printedAs?: string])[];
  readonly best: number;
  readonly override: (value: number | "mixed") => string;
  readonly notes: readonly string[];
}

/** Our beta weighs the mean over evidence tokens, the paper's the sum: the ratio of the two presets' own values. */
const betaScale = 0.03 / 8e-3;
const betas = [2e-3, 4e-3, 6e-3, 8e-3, 1e-2];

/** A setting by its symbol in the paper, as `path=value`. */
export const symbols: Readonly<Record<string, (value: string) => string>> = {
  alpha: (value) =>
    `reward.terms=${JSON.stringify(paperTerms.map((term) => (term.name === "omni" ? { ...term, weight: Number(value) } : term)))}`,
  beta: (value) => `perception.perceptionLossWeight=${value}`,
  rho: (value) => `perception.maskRatio=${value}`,
  delta: (value) => `reward.similarityThreshold=${value}`,
};

const sweeps: Readonly<Record<"4" | "5" | "6" | "7", Sweep>> = {
  "4": {
    ...{ symbol: "alpha", title: "the weight of R_omni", best: 0.5 },
    values: [[0.2], [0.3], [0.4], [0.5], [0.6]],
    override: (value) => symbols.alpha!(`${value}`),
    notes: ["The paper sees late format collapse from 0.6 on; its row 0.4 does not add up as printed."],
  },
  "5": {
    ...{ symbol: "beta", title: "the weight of the perception loss", best: roundBeta(8e-3) },
    values: betas.map((beta) => [roundBeta(beta), `beta ${beta}`]),
    override: (value) => symbols.beta!(`${value}`),
    notes: [
      "The paper weighs the sum over evidence tokens, we the mean: its 8e-3 stands beside our default 0.03, the others in the same ratio.",
    ],
  },
  "6": {
    ...{ symbol: "rho", title: "the share that is masked", best: 0.7 },
    values: [[0.6], [0.7], [0.8], [0.9], [1], ["mixed"]],
    override: (value) => symbols.rho!(`${value}`),
    notes: ["mixed is ours: half of the draws mask all, half a share from U(0.5, 0.95)."],
  },
  "7": {
    ...{ symbol: "delta", title: "the threshold of a hit", best: 0.5 },
    values: [[0.4], [0.45], [0.5], [0.55], [0.6]],
    override: (value) => symbols.delta!(`${value}`),
    notes: ["The threshold of training; what counts as stated when models are measured is the same for all rows."],
  },
};

function roundBeta(printed: number): number {
  return Number((printed * betaScale).toPrecision(4));
}

function sweepGrid(number: keyof typeof sweeps): Grid {
  const { symbol, title, values, best, override, notes } = sweeps[number];
  const nameOf = (value: number | "mixed") => `${symbol}=${value}`;
  const rows = values.map(
    ([value, printedAs]): GridRow => ({
      ...{ ...coldStartRow, name: nameOf(value), title: `${symbol} ${value}`, preset: "oppo", swept: value },
      overrides: [override(value)],
      ...(printedAs === undefined ? {} : { printedAs }),
    }),
  );
  const others = values.filter(([value]) => value !== best && value !== "mixed");
  const source = `the paper: ${values.find(([value]) => value === best)?.[1] ?? `${symbol} ${best}`} is best`;
  const statements = tableColumns.flatMap(({ score }) =>
    others.map(([value]): Statement => ({ better: nameOf(best), worse: nameOf(value), score, source })),
  );
  const collapse: Statement[] =
    symbol === "alpha"
      ? [{ better: nameOf(0.5), worse: nameOf(0.6), score: "format", source: "late format collapse from 0.6 on" }]
      : [];
  return {
    ...{ name: `table-${number}`, title: `Table ${number}: ${symbol}, ${title}`, columns: tableColumns, rows },
    statements: [...statements, ...collapse],
    ...{ evaluation: suite, choice: { symbol }, curves: tableCurves, ...often, notes },
  };
}

/** Figure 3: R_omni in training over beta, from the cells of Table 5. */
function figure3(): Grid {
  const swept = sweepGrid("5");
  const least = roundBeta(8e-3);
  const rewardOnly: GridRow = {
    ...{ ...coldStartRow, name: "reward-only", title: "beta 0 (+ R_omni)", preset: "reward-only", swept: 0 },
  };
  const below = [rewardOnly.name, ...betas.map(roundBeta).flatMap((beta) => (beta < least ? [`beta=${beta}`] : []))];
  const source = "the paper: below beta of about 8e-3 R_omni reaches less";
  const statements = below.map((worse): Statement => ({ better: `beta=${least}`, worse, score: finalOmni, source }));
  return {
    ...swept,
    ...{ name: "figure-3", title: "Figure 3: R_omni in training over beta", statements, choice: null },
    rows: [rewardOnly, ...swept.rows],
    columns: [
      {
        ...{ score: finalOmni, title: "R_omni, last 10 steps", printedTitle: "R_omni, from 0 to 3" },
        ...{ better: "higher", isShare: false },
      },
    ],
    evaluation: { suite: false, conditions: [] },
    curves: [{ metric: "rewards/omni/mean", title: "R_omni (0 to 3)" }],
  };
}

/** A score of the training log: the mean reward of the last steps, each step a draw. */
export const finalOmni = "finalOmni";
export const finalSteps = 10;

export const tableNames = ["3", "4", "5", "6", "7"] as const;

export function tableGrid(table: (typeof tableNames)[number]): Grid {
  return table === "3" ? table3() : sweepGrid(table);
}

export const figureNames = ["3"] as const;

export function figureGrid(_figure: (typeof figureNames)[number]): Grid {
  return figure3();
}
