// What --dry-run prints: the table, or its numbers without the model's shape that they were reckoned from.
import { type MemoryReport, memoryText } from "../../train/memory/table.ts";
import { printJson } from "../base/json.ts";

/** The exit code is 1 where the step does not fit. */
export function showMemory(
  command: "train" | "sft",
  report: MemoryReport & { readonly assumptions: readonly string[] },
  isJson: boolean,
): void {
  if (report.fits === false) process.exitCode = 1;
  if (!isJson) {
    console.log([...report.assumptions, "", memoryText(report)].join("\n"));
    return;
  }
  const { estimate, room, fits, plan, assumptions } = report;
  const { standing, standingBytes, phases, largest, peakBytes } = estimate;
  printJson(command, {
    assumptions,
    ...{ standing, standingBytes, phases, largest: largest.name, peakBytes, room, fits },
    plan: plan && { remedies: plan.remedies, peakBytes: plan.peakBytes, fits: plan.fits },
  });
}
