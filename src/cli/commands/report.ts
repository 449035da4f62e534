// `oppo report RUN`: a page of what lies in a run's folder, whatever program made it.

import type { Command } from "commander";
import { addHelp, type CommonOptions } from "../base/command.ts";
import { printJson } from "../base/json.ts";

const help = {
  notes: `Of oppo train and oppo sft: RUN/report.html with curves, evaluations, warnings, settings and what was said last, also while the
run is under way. Of oppo demo: its report and results.json once more, without training or measuring. Of oppo mep run: the page
that it wrote. Of oppo r1-omni: its table and page once more, from its answers. Of oppo score: the page of what --json printed.`,
  examples: ["oppo report runs/mine", "oppo report runs/demo", "oppo report scores.json"],
};

export function configureReport(command: Command): void {
  addHelp(command.argument("<run>", "the folder of a run, or a file of oppo score --json"), help);
  command.action(async (run: string, options: CommonOptions) => {
    const isJson = options.json === true;
    const { kindOfRun } = await import("../../run/run-directory.ts");
    const kind = kindOfRun(run);
    if (run.endsWith(".json")) await reportScore(run, isJson);
    else if (kind === "mep") await reportMep(run, isJson);
    else if (kind === "r1-omni") await reportROneOmni(run, isJson);
    else if (kind !== null) await reportTraining(run, kind, isJson);
    else await reportDemo(run, isJson);
  });
}

async function reportTraining(run: string, kind: "train" | "sft", isJson: boolean): Promise<void> {
  const { writeTrainingReport } = await import("../../recipes/report/training-report.ts");
  const made = writeTrainingReport(run, kind);
  if (isJson) printJson("report", { kind, ...made });
  else {
    for (const line of made.warnings) console.log(`warning: ${line}`);
    console.log(`The report: ${made.report}`);
  }
}

async function reportMep(run: string, isJson: boolean): Promise<void> {
  const { rebuildMepReport } = await import("../../recipes/mep/page.ts");
  const { report, isMade } = rebuildMepReport(run);
  if (isJson) printJson("report", { kind: "mep", report });
  else console.log(`The report: ${report}${isMade ? " (numbers only; oppo mep run writes the clips too)" : ""}`);
}

async function reportROneOmni(run: string, isJson: boolean): Promise<void> {
  const { rebuildROneOmni } = await import("../../recipes/r1-omni/rebuild-report.ts");
  const { results, ...files } = await rebuildROneOmni(run);
  if (isJson) printJson("report", { kind: "r1-omni", ...files, ...results });
  else {
    const { finding, resultsText } = await import("../../recipes/r1-omni/text.ts");
    console.log(
      `${resultsText(results)}\n\n${finding(results)}\n\nThe report: ${files.report}\nThe numbers: ${files.resultsFile}`,
    );
  }
}

async function reportScore(file: string, isJson: boolean): Promise<void> {
  const { rebuildScoreReport } = await import("../../recipes/score/rebuild-report.ts");
  const report = rebuildScoreReport(file);
  if (isJson) printJson("report", { kind: "score", report });
  else console.log(`The report: ${report}`);
}

async function reportDemo(run: string, isJson: boolean): Promise<void> {
  const { rebuildReport } = await import("../../recipes/demo/rebuild-report.ts");
  const { resultsText } = await import("../../page/results-text.ts");
  const { report, results, arms } = await rebuildReport(run);
  if (isJson) {
    const numbers = arms.map(({ curve: _, ...arm }) => arm);
    printJson("report", { kind: "demo", report, results, arms: numbers });
  } else console.log(`${resultsText(arms)}\n\nThe report: ${report}\nThe numbers: ${results}`);
}
