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
    "oppo score mme-emotion answers/ --root MME-Emotion --media clips --ask http://localhost:8000/v1#mine",
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
  await askFirst(settings, responses!, around);
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

async function serverAt(address: string, { client }: MmeSettings, { progress, interrupt }: LongRun) {
  const options = await endpointOptions(address, client, process.env, await endpointCache(process.env));
  return { ...options, signal: interrupt.signal, onNotice: (line: string) => progress.log(line) };
}

async function askFirst(settings: MmeSettings, folder: string, around: LongRun): Promise<void> {
  const { ask, root, media, askTokens, maxMissing } = settings;
  if (ask === null) return;
  const { askMmeEmotion } = await import("../../../recipes/score/mme-emotion/ask.ts");
  const endpoint = await serverAt(ask, settings, around);
  const notes = await askMmeEmotion({
    ...{ root, folder, media, endpoint, maxTokens: askTokens, maxRefused: maxMissing },
    stageOf: (task, numClips) => around.progress.stage(`asking ${task}`, numClips),
  });
  for (const note of notes) around.progress.log(note);
}

async function judgeOf(settings: MmeSettings, around: LongRun) {
  const { judge, steps, media } = settings;
  if (judge === null) return null;
  const { endpointStepJudge } = await import("../../../recipes/score/mme-emotion/step-judge.ts");
  return endpointStepJudge({
    judge: await serverAt(judge, settings, around),
    steps: steps === null ? null : await serverAt(steps, settings, around),
    media,
  });
}
