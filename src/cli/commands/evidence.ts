// `oppo evidence extract`: written accounts to cues.

import { OppoError } from "../../error.ts";
import type { CommandDefinition, CommonOptions } from "../command.ts";
import { addEndpointFlags, type EndpointFlags, endpointOptions } from "../endpoint-flags.ts";
import { longRun } from "../long-run.ts";
import { count, jsonObject, wholeNumber } from "../number.ts";

interface ExtractOptions extends CommonOptions, EndpointFlags {
  readonly out: string;
  readonly dataset?: string;
  readonly data?: string;
  readonly root?: string;
  readonly split?: string;
  readonly offline?: true;
  readonly name?: string;
  readonly limit?: number;
  readonly maxSkipped?: number;
  readonly maxBadRows: number;
  readonly examples: number;
  readonly replyTokens: number;
  readonly extra?: Readonly<Record<string, unknown>>;
}

const afterHelp = `
Examples:
  oppo evidence extract --data corpus/train.jsonl --out corpus/train-cues.jsonl --endpoint http://localhost:8000/v1 --name Qwen/Qwen2.5-7B-Instruct
  oppo evidence extract --dataset mer-caption-plus --root /data --out cues.jsonl --endpoint https://api.openai.com/v1 --name gpt-5 --limit 50
  oppo evidence extract --data accounts.jsonl --out cues.jsonl --offline`;

export const evidenceCommand: CommandDefinition = {
  name: "evidence",
  summary: "turn written reasonings into cues: what is seen, heard and concluded (extract)",
  configure(command) {
    const extract = command
      .helpCommand(false)
      .command("extract")
      .description(
        "Takes cues out of written accounts: samples with a reasoning, a published data set, or rows {id, text}. Every phrase is " +
          "checked against its account; dropped ones are counted. Writes samples with cues (for `oppo train`), statistics and a " +
          "page to review. A run that was stopped goes on: replies are kept.",
      )
      .option("--data <file>", "JSON lines: samples with a reasoning, or rows {id, text}")
      .requiredOption("--out <file>", "the JSON lines to write; .statistics.json and .review.html go beside it")
      .option("--dataset <name>", "a published data set instead; `oppo data list` has all")
      .option("--root <folder>", "where the data set is")
      .option("--split <name>", "of the data set; may be left out where there is one only")
      .option("--name <model>", "the model to ask at the endpoint")
      .option("--reply-tokens <count>", "limit of one reply; models that think first need more", count, 1024)
      .option("--extra <json>", 'further fields of a request: \'{"reasoning_effort": "low"}\'', jsonObject)
      .option("--offline", "without a model: rules and a small lexicon, stamped as such")
      .option("--limit <count>", "only the first so many accounts", count)
      .option(
        "--max-skipped <count>",
        "accounts without a usable result to tolerate (default: 2%, at least 10)",
        wholeNumber,
      )
      .option("--max-bad-rows <count>", "rows that cannot be read to tolerate", wholeNumber, 10)
      .option("--examples <count>", "accounts on the page to review", count, 40);
    addEndpointFlags(extract)
      .option("--json", "print the result and errors as JSON")
      .option("--verbose", "print errors with their stack")
      .addHelpText("after", afterHelp)
      .action(run);
  },
};

async function run(options: ExtractOptions): Promise<void> {
  const source = sourceOf(options);
  const { oppoHome } = await import("../../run/lexicon-store.ts");
  const endpoint = endpointOf(options, oppoHome(process.env));
  await longRun(async ({ progress, interrupt }) => {
    const { extractEvidence } = await import("../../recipes/evidence/extract.ts");
    const { extractText } = await import("../../recipes/evidence/extract-text.ts");
    const { out, maxBadRows, examples: numExamples, limit = null, maxSkipped = null, extra } = options;
    const ask = { maxTokens: options.replyTokens, ...(extra === undefined ? {} : { extra }) };
    const request = { ask, source, out, endpoint, limit, maxSkipped, maxBadRows, numExamples, progress, interrupt };
    const result = await extractEvidence(request);
    console.log(options.json ? JSON.stringify(result, null, 2) : extractText(result));
  });
}

function sourceOf({ data: file, dataset, root, split }: ExtractOptions) {
  if (file !== undefined && dataset === undefined) return { file };
  if (file === undefined && dataset !== undefined && root !== undefined) return { dataset, root, split: split ?? null };
  throw new OppoError(
    "ERR_EVIDENCE_CHOICE",
    "oppo evidence extract: expected --data, or --dataset with --root, got neither or both. See --help.",
  );
}

function endpointOf(options: ExtractOptions, home: string) {
  const { offline, endpoint: url, name: model } = options;
  if (offline === true && url === undefined) return null;
  if (offline === undefined && url !== undefined && model !== undefined) {
    return endpointOptions(options, { url, model }, process.env, home);
  }
  throw new OppoError(
    "ERR_EVIDENCE_CHOICE",
    "oppo evidence extract: expected --endpoint with --name, or --offline, got neither or both. See --help.",
  );
}
