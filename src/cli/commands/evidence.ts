// `oppo evidence extract`: written accounts to cues.

import type { Command } from "commander";
import { OppoError } from "../../error.ts";
import { extractIdle, extractSettings } from "../../recipes/evidence/settings.ts";
import type { SettingsOf } from "../../run/config.ts";
import { addHelp } from "../base/command.ts";
import { endpointCache, endpointOptions } from "../base/endpoint-access.ts";
import { printJson } from "../base/json.ts";
import { longRun } from "../base/long-run.ts";
import { withSettings } from "../base/settings-command.ts";

type ExtractSettings = SettingsOf<typeof extractSettings>;

const examples = [
  "oppo evidence extract --data corpus/train.jsonl --out corpus/train-cues.jsonl --endpoint http://localhost:8000/v1#Qwen/Qwen2.5-7B-Instruct",
  "oppo evidence extract --dataset mer-caption-plus --root /data --out cues.jsonl --endpoint https://api.openai.com/v1#gpt-5 --limit 50",
  "oppo evidence extract --data accounts.jsonl --out cues.jsonl --offline",
];

export function configureEvidence(command: Command): void {
  addHelp(command, { examples: examples.slice(-1) });
  configureExtract(command.command("extract"));
}

function configureExtract(command: Command): void {
  command.description(
    "Takes cues out of written accounts: samples with a reasoning, a published data set, or rows {id, text}. Every phrase is " +
      "checked against its account; dropped ones are counted. Writes samples with cues (for `oppo train`), statistics and a " +
      "page to review. A run that was stopped goes on: replies are kept.",
  );
  addHelp(command, { examples });
  const retired = { "--name <model>": { instead: "--endpoint URL#MODEL", joins: "--endpoint" } };
  withSettings(command, { schema: extractSettings, idle: extractIdle, retired }, (settings, { isJson }) =>
    run(settings, isJson),
  );
}

async function run(settings: ExtractSettings, isJson: boolean): Promise<void> {
  const source = sourceOf(settings);
  const endpoint = await endpointOf(settings);
  await longRun(async ({ progress, interrupt }) => {
    const { extractEvidence } = await import("../../recipes/evidence/extract.ts");
    const { fieldMapOf } = await import("../../corpus/settings.ts");
    const { extractText } = await import("../../recipes/evidence/extract-text.ts");
    const { out, maxBadRows, examples: numExamples, limit, maxSkipped, replyTokens, extra } = settings;
    const ask = { maxTokens: replyTokens, ...(extra === null ? {} : { extra }) };
    const fields = fieldMapOf(settings.fields);
    const request = {
      fields,
      ask,
      source,
      out,
      endpoint,
      limit,
      maxSkipped,
      maxBadRows,
      numExamples,
      progress,
      interrupt,
    };
    const result = await extractEvidence(request);
    if (isJson) printJson("evidence-extract", result);
    else console.log(extractText(result));
  });
}

function sourceOf({ data: file, dataset, root, split }: ExtractSettings) {
  if (file !== null && dataset === null) return { file };
  if (file === null && dataset !== null && root !== null) return { dataset, root, split };
  throw new OppoError(
    "ERR_EVIDENCE_CHOICE",
    "oppo evidence extract: expected --data, or --dataset with --root, got neither or both. See --help.",
  );
}

async function endpointOf({ offline, endpoint, client }: ExtractSettings) {
  if (offline && endpoint === null) return null;
  if (!offline && endpoint !== null) {
    return endpointOptions(endpoint, client, process.env, await endpointCache(process.env));
  }
  throw new OppoError(
    "ERR_EVIDENCE_CHOICE",
    "oppo evidence extract: expected --endpoint URL#MODEL, or --offline, got neither or both. See --help.",
  );
}
