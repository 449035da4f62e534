// `oppo report RUN`: a page of what lies in a run's folder, whatever program made it.

import type { Command } from "commander";
import type { RunKind } from "../../run/run-directory.ts";
import { addHelp, type CommonOptions } from "../base/command.ts";
import { printJson } from "../base/json.ts";

const help = {
  notes: `Of oppo train and oppo sft: RUN/report.html with curves, evaluations, warnings, settings and what was said last, also while the
run is under way. Of oppo demo: its report and results.json once more, without training or measuring. Of oppo mep run: the page
that it wrote. Of oppo r1-omni: its table and page once more, from its answers. Of oppo score: the page of what --json printed.
With --mlflow a run of oppo train or oppo sft goes to MLflow's tracking server at an address (MLFLOW_TRACKING_USERNAME and
MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN), or into a folder as MLflow keeps runs; said again, it takes its own place.`,
  examples: ["oppo report runs/mine", "oppo report runs/demo", "oppo report runs/mine --mlflow http://localhost:5000"],
};

export function configureReport(command: Command): void {
  addHelp(command.argument("<run>", "the folder of a run, or a file of oppo score --json"), help);
  command.option(
    "--mlflow <target>",
    "in place of the page, put the run onto this server of MLflow's, or into a folder",
  );
  command.action(async (run: string, options: CommonOptions & { readonly mlflow?: string }) => {
    const isJson = options.json === true;
    const { kindOfRun } = await import("../../run/run-directory.ts");
    const kind = kindOfRun(run);
    if (options.mlflow !== undefined) await exportRun(run, kind, options.mlflow, isJson);
    else if (run.endsWith(".json")) await reportScore(run, isJson);
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

async function exportRun(run: string, kind: RunKind | null, target: string, isJson: boolean): Promise<void> {
  if (kind !== "train" && kind !== "sft") {
    const { OppoError } = await import("../../error.ts");
    throw new OppoError(
      "ERR_EXPORT_RUN",
      `${run}: expected a run of oppo train or oppo sft to export, got ${kind === null ? "none" : `one of oppo ${kind}`}. Name its folder; a demo's lie in arms/.`,
    );
  }
  const { readTrainingRun } = await import("../../recipes/report/training-run.ts");
  const { mlflowRun } = await import("../../recipes/report/mlflow/mlflow-run.ts");
  const { exportToFolder, looksLikeAddress } = await import("../../recipes/report/mlflow/folder.ts");
  const read = () => mlflowRun(readTrainingRun(run, kind));
  if (looksLikeAddress(target)) {
    const { exportToServer } = await import("../../recipes/report/mlflow/server.ts");
    const { openMlflowServer } = await import("../../recipes/report/mlflow/rest.ts");
    const server = openMlflowServer({ address: target, environment: process.env });
    const made = await exportToServer(read(), server);
    if (isJson) printJson("report", { kind, ...made });
    else console.log(`${made.numMetrics} numbers and ${made.numParams} settings: ${made.page}`);
    return;
  }
  const made = exportToFolder(read(), target);
  if (isJson) printJson("report", { kind, ...made });
  else {
    console.log(`${made.numMetrics} numbers and ${made.numParams} settings: ${made.folder}`);
    console.log(
      `To look at it, once: mlflow migrate-filestore --source ${target} --target sqlite:///mlflow.db\nand then: mlflow server --backend-store-uri sqlite:///mlflow.db`,
    );
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
