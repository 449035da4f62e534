// `oppo embed calibrate`: where an embedder's similarity threshold should lie.

import type { Command } from "commander";
import { calibrateIdle, calibrateSettings } from "../../../recipes/embed/settings.ts";
import type { SettingsOf } from "../../../run/config.ts";
import { addHelp } from "../../base/command.ts";
import { printJson } from "../../base/json.ts";
import { type LongRun, longRun } from "../../base/long-run.ts";
import { withSettings } from "../../base/settings-command.ts";
import { accessOf } from "./access.ts";

const help = {
  notes: `Without --bank and --data the theatre's paraphrases are taken. A bank says best what is one cue: a JSON list of
{ name, kind, phrases }. A corpus says less: emotion cues of clips with one label state that label, two cues of one clip
differ. delta is the threshold of the best F1 with both sorts of pairs weighing the same; oppo train compares its delta with
the record: --calibration delta.json.`,
  examples: [
    "oppo embed calibrate --embedder theatre",
    "oppo embed calibrate --embedder qwen3:models/Qwen3-Embedding-0.6B --bank concepts.json --out delta.json --page delta.html",
  ],
};

export function configureCalibrate(command: Command): void {
  command.description(
    "Cosines of phrases for the same cue and for different ones, and where the threshold (delta) should lie.",
  );
  addHelp(command, help);
  withSettings(command, { schema: calibrateSettings, idle: calibrateIdle }, (settings, { isJson }) =>
    longRun((run) => calibrate(settings, isJson, run)),
  );
}

async function calibrate(
  settings: SettingsOf<typeof calibrateSettings>,
  isJson: boolean,
  { progress, interrupt }: LongRun,
): Promise<void> {
  const { calibrateEmbedder, openCalibrated } = await import("../../../recipes/embed/calibrate-embedder.ts");
  const { calibrationText } = await import("../../../recipes/embed/calibrate-text.ts");
  const { calibrationPage } = await import("../../../recipes/embed/calibrate-page.ts");
  const { fieldMapOf } = await import("../../../corpus/settings.ts");
  const { replaceFile } = await import("../../../run/checkpoint.ts");
  const { bank, data, seed, out, page } = settings;
  const access = await accessOf(settings, settings.clauseInstruction, interrupt.signal);
  const fields = fieldMapOf(settings.fields);
  using opened = await openCalibrated(settings.embedder, { data, fields }, access, progress.log);
  for (const note of opened.notes) progress.log(note);
  const record = await calibrateEmbedder(opened, { bank, data, fields, seed }, progress.log);
  if (out !== null) replaceFile(out, `${JSON.stringify(record, null, 2)}\n`);
  if (page !== null) replaceFile(page, calibrationPage(record));
  if (isJson) printJson("embed-calibrate", record);
  else console.log(calibrationText(record));
}
