// `oppo mep run`: one model through a set.

import type { Command } from "commander";
import { OppoError } from "../../../error.ts";
import type { MepRun, MepSystem } from "../../../recipes/mep/run.ts";
import { mepMasks, mepRunIdle, mepRunSettings } from "../../../recipes/mep/run-settings.ts";
import type { SettingsOf } from "../../../run/config.ts";
import { addHelp } from "../../base/command.ts";
import { endpointOptions } from "../../base/endpoint-access.ts";
import { printJson } from "../../base/json.ts";
import { longRun } from "../../base/long-run.ts";
import { withSettings } from "../../base/settings-command.ts";
import { mepSetting } from "./setting.ts";

type RunSettings = SettingsOf<typeof mepRunSettings>;

const bytesPerMegabyte = 1024 * 1024;

const help = {
  notes: `Masking is done here, on the media: a server gets black frames and silence (or no part, --drop-masked), the video's own packets
without their sound, and the sound as WAV. A run that was stopped goes on with the same command; a server's replies are kept in
the run's folder unless --cache says where. The folder gets results.json, answers.jsonl and report.html, a table with intervals and
a browser of all clips.`,
  examples: [
    "oppo mep run sets/theatre --model runs/demo/arms/oppo/seed-0/model --out runs/mep/oppo",
    "oppo mep run sets/theatre --model runs/demo/arms/oppo/seed-0/model --video-mask blur:0.5 --audio-mask noise --out runs/mep/oppo-blur",
    "oppo mep run sets/ov-merd --endpoint http://localhost:8000/v1#Qwen/Qwen2.5-Omni-7B --answer-style free --out runs/mep/qwen",
  ],
};

export function configureRun(command: Command): void {
  command
    .description(
      "Puts a model, ours or one behind a server, through a set: utilization, faithfulness, controls, swaps.",
    )
    .argument("<set>", "a folder that oppo mep build wrote");
  addHelp(command, help);
  withSettings(command, { schema: mepRunSettings, idle: mepRunIdle }, async (settings, { args: [set], isJson }) => {
    const { results, out } = await run(set!, settings);
    const { measures: _, groups: __, ...shown } = results;
    if (isJson) return printJson("mep-run", { out, ...shown });
    const { resultsText } = await import("../../../page/results-text.ts");
    const { mepMetricGroups } = await import("../../../page/metric-rows.ts");
    for (const note of results.notes) console.log(note);
    console.log(resultsText([{ title: results.system, metrics: results.report }], mepMetricGroups));
    console.log(`\nThe page: ${out}/report.html`);
  });
}

function run(set: string, settings: RunSettings) {
  return longRun(async ({ progress, interrupt }) => {
    const asking = { signal: interrupt.signal, onNotice: progress.log };
    const system = await systemOf(settings, asking);
    const decompose = await decomposeOf(settings, asking);
    const { runMepSet } = await import("../../../recipes/mep/run.ts");
    return runMepSet({
      set,
      system,
      question: settings.question,
      name: settings.name,
      out: settings.out,
      mediaRoot: settings.media,
      embedder: settings.embedder,
      decompose,
      answerStyle: settings.answerStyle,
      masked: settings.dropMasked ? "dropped" : "blank",
      masks: mepMasks(settings),
      maxNewTokens: settings.maxNewTokens,
      maxUnreadable: settings.maxUnreadable,
      maxClipBytes: settings.clipMemory * bytesPerMegabyte,
      setting: await mepSetting(settings.client, interrupt.signal),
      progress,
      interrupt,
    });
  });
}

interface AskingOptions {
  readonly signal: AbortSignal;
  readonly onNotice: (line: string) => void;
}

/** Beside the run, not in the common folder: a server may have another model under the same name tomorrow. */
const repliesOf = ({ out }: RunSettings) => `${out}/replies`;

async function decomposeOf(settings: RunSettings, asking: AskingOptions): Promise<MepRun["decompose"]> {
  const { decompose, decomposeExtra: extra, maxSkipped } = settings;
  if (decompose === null) return null;
  if (decompose === "offline") return { by: "offline", maxSkipped };
  // A key of its own: that of the model under test is not for another server.
  const client = { ...settings.client, keyEnv: settings.decomposeKeyEnv };
  const options = await endpointOptions(decompose, client, process.env, repliesOf(settings));
  const ask = { maxTokens: settings.decomposeTokens, ...(extra === null ? {} : { extra }) };
  return { by: { ...options, ...asking }, ask, maxSkipped };
}

async function systemOf(settings: RunSettings, asking: AskingOptions): Promise<MepSystem> {
  const { endpoint, model, extra, device, dtype, videoTime, batch: batchSize } = settings;
  if (endpoint !== null && model !== null) {
    throw new OppoError(
      "ERR_USAGE",
      `--model ${model}: expected a model in a folder, or one behind a server, got both. The server's is written --endpoint URL#MODEL.`,
    );
  }
  if (endpoint !== null) {
    const client = await endpointOptions(endpoint, settings.client, process.env, repliesOf(settings));
    return { kind: "endpoint", client: { ...client, ...asking }, extra };
  }
  if (model === null) {
    throw new OppoError(
      "ERR_USAGE",
      "required option '--model <folder>' or '--endpoint <url#model>' not specified. See --help.",
    );
  }
  return {
    kind: "local",
    directory: model,
    batchSize,
    load: { device, ...(dtype === null ? {} : { dtype }), ...(videoTime === null ? {} : { videoTime }) },
  };
}
