// `oppo score mme-emotion`: what a model answered to MME-Emotion.

import type { Command } from "commander";
import { type MmeSettings, mmeIdle, mmeSettings } from "../../../recipes/score/mme-emotion/settings.ts";
import { addHelp } from "../../base/command.ts";
import { endpointCache, endpointOptions } from "../../base/endpoint-access.ts";
import { printJson } from "../../base/json.ts";
import { type LongRun, longRun } from "../../base/long-run.ts";
import { type Call, withSettings } from "../../base/settings-command.ts";

const help = {
  notes: `Responses are the reference's files: rows { video_id, ground_truth, model_response }, with "step" after step extraction and "score"
after the judgement; what a row has is not asked for again. A folder has one file per task, whose name begins with it.`,
  examples: [
    "oppo score mme-emotion answers/ --root MME-Emotion",
    "oppo score mme-emotion answers/ --root MME-Emotion --media clips --judge http://localhost:8000/v1#Qwen/Qwen2.5-VL-72B-Instruct",
    "oppo score mme-emotion IR_mine.json --root MME-Emotion --partial",
  ],
};

export function configureMmeEmotion(command: Command): void {
  command
    .description("Scores answers to MME-Emotion: Rec-S, Rea-S and CoT-S by a judge, and labels without one.")
    .argument("<responses>", "a file of one task, or a folder with one per task");
  addHelp(command, help);
  withSettings(command, { schema: mmeSettings, idle: mmeIdle }, (settings, call) =>
    longRun((around) => run(settings, call, around)),
  );
}

async function run(settings: MmeSettings, { args: [responses], isJson }: Call, around: LongRun): Promise<void> {
  const { scoreMmeEmotion } = await import("../../../recipes/score/mme-emotion/mme-emotion.ts");
  const { mmeText } = await import("../../../recipes/score/mme-emotion/report.ts");
  using judge = await judgeOf(settings, around);
  const report = await scoreMmeEmotion({
    root: settings.root,
    responses: responses!,
    isPartial: settings.partial,
    missing: settings.missing,
    alpha: settings.alpha,
    maxMissing: settings.maxMissing,
    judge,
    isSeen: settings.media !== null,
    bootstrap: { seed: settings.seed, numResamples: settings.resamples, confidence: 0.95 },
    rows: settings.rows,
    ...(judge === null ? {} : { stageOf: (numAnswers: number) => around.progress.stage("judging", numAnswers) }),
  });
  if (isJson) printJson("score-mme-emotion", report);
  else console.log(mmeText(report));
}

async function judgeOf({ judge, steps, media, client }: MmeSettings, { progress, interrupt }: LongRun) {
  if (judge === null) return null;
  const { endpointStepJudge } = await import("../../../recipes/score/mme-emotion/step-judge.ts");
  const cache = await endpointCache(process.env);
  const around = { signal: interrupt.signal, onNotice: (line: string) => progress.log(line) };
  const options = async (address: string) => ({
    ...(await endpointOptions(address, client, process.env, cache)),
    ...around,
  });
  return endpointStepJudge({
    judge: await options(judge),
    steps: steps === null ? null : await options(steps),
    media,
  });
}
