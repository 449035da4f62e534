// The table for a terminal, and in words which of the paper's orderings hold.
import { defaultBootstrapOptions } from "../../bench/bootstrap.ts";
import type { Metric } from "../../bench/report.ts";
import { pValueText } from "../../bench/statistics/p-value.ts";
import type { Ordering, Results, SetResult } from "./results.ts";
import { rowTitles } from "./rows.ts";

export const percent = (value: number | null) => (value === null ? "-" : (100 * value).toFixed(1));

export function withInterval({ value, low, high }: Metric): string {
  return value === null ? "-" : `${percent(value)} [${percent(low)}, ${percent(high)}]`;
}

export function setHeading({ title, isOutside, numClips }: SetResult): string {
  return `${title} (${isOutside ? "out of" : "in"} distribution, ${numClips} clips)`;
}

export const columnNames = ["WAR", "UAR", "outside the label set"] as const;

export function publishedText(published: readonly [number, number] | null): string {
  return published === null ? "-" : `${published[0].toFixed(2)} / ${published[1].toFixed(2)}`;
}

export function resultsText(results: Results): string {
  const lines = results.sets.flatMap((set) => [
    "",
    setHeading(set),
    ["", ...columnNames, "published WAR / UAR"].map(padded).join(""),
    ...set.rows.map(({ row, report, published, numSeeds }) =>
      [
        `${rowTitles[row]}${numSeeds > 1 ? `, ${numSeeds} seeds` : ""}`,
        ...["war", "uar", "outside"].map((name) => withInterval(report[name]!)),
        publishedText(published),
      ]
        .map(padded)
        .join(""),
    ),
  ]);
  return [...lines, "", "The paper's orderings:", ...results.orderings.map(orderingText)].join("\n").trimStart();
}

const widths = [25, 22, 22, 24, 0];
const padded = (cell: string, i: number) => cell.padEnd(widths[i]!);

/** Example: "second troupe, WAR: RLVR (R1-Omni) above label SFT: holds (+4.2 [1.0, 7.3], p 0.018)" */
export function orderingText({ set, measure, better, worse, difference, pValue, verdict }: Ordering): string {
  const value = difference.value ?? 0;
  const p = pValueText(pValue, defaultBootstrapOptions.numResamples);
  return `${set}, ${measure.toUpperCase()}: ${rowTitles[better]} above ${rowTitles[worse]}: ${verdict} (${value > 0 ? "+" : ""}${withInterval(difference)}, p ${p})`;
}

/** The question that the recipe is about, answered. */
export function finding({ orderings, sets }: Results): string {
  const outside = sets.filter(({ isOutside }) => isOutside).map(({ title }) => title);
  const lines = orderings
    .filter(({ set, better, measure }) => outside.includes(set) && better === "rlvr" && measure === "war")
    .map(({ set, verdict, difference }) => {
      const said = {
        holds: "RLVR is above label SFT",
        "does not hold": "RLVR is below label SFT",
        "cannot tell": "RLVR and label SFT cannot be told apart",
      }[verdict];
      return `On ${set}, out of distribution, ${said} (WAR ${withInterval(difference)}).`;
    });
  return lines.join(" ");
}
