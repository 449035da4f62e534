// `oppo serve reward`: the Omni-Perception Reward for other trainers.

import { type Command, InvalidArgumentError, Option } from "commander";
import { collect } from "../command.ts";
import { embedderAccess } from "../embedder-access.ts";
import { addClientFlags, type EndpointFlags } from "../endpoint-flags.ts";
import { wholeNumber } from "../number.ts";
import { type AddressOptions, bytesPerMb, tokenOf, untilStopped } from "../serve-address.ts";

interface RewardOptions extends AddressOptions, EndpointFlags {
  readonly clauseInstruction: string;
  readonly data?: string;
  readonly embedder: string;
  readonly accuracy: string;
  readonly weight: readonly string[];
  readonly threshold: number;
  readonly empty: "zero" | "skip";
  readonly anyFormat?: true;
  readonly maxSkippedRows: number;
}

const rewardHelp = `
R = accuracy + format + alpha R_omni, with all parts, for GRPO in any trainer: /v1/rewards is our own shape, /trl, /ms-swift,
/verl and /openrlhf take what those frameworks have at hand. docs/reward-server.md has a snippet to paste for each.

Example:
  oppo serve reward --data runs/demo/corpus/rl/rl.jsonl
  curl http://127.0.0.1:8200/v1/rewards -H 'content-type: application/json' -d '{"items": [{"sample": "rl-00000",
    "completion": "<think>the video shows a furrowed brow.</think><answer>angry</answer>"}], "details": true}'`;

export function configureReward(command: Command): void {
  command
    .description("Scores completions with the Omni-Perception Reward, for TRL, verl, ms-swift, OpenRLHF and others.")
    .option("--data <file>", "samples with cues and labels, one JSON object per line; requests then name a sample")
    .option("--embedder <choice>", "as of oppo train; without --data one that needs no corpus", "auto")
    .option("--clause-instruction <text>", "as clauseInstruction of oppo train", "auto")
    .option(
      "--accuracy <choice>",
      "R_acc, as accuracy of oppo train: auto, exact, built-in, affectgpt, mer2026 or a file",
      "auto",
    )
    .option(
      "--weight <term=number>",
      "of a reward term (default: accuracy=1, format=1, omni=0.5); may be given several times",
      collect,
      [],
    )
    .option("--threshold <number>", "delta, below which a clause does not speak of a cue", threshold, 0.5)
    .addOption(
      new Option("--empty <rule>", "a kind without cues counts 0, or is left out and the others scaled up")
        .choices(["zero", "skip"])
        .default("zero"),
    )
    .option("--any-format", "malformed completions may earn R_omni too (training: they do not)")
    .option("--max-skipped-rows <count>", "rows of --data that may be no samples", wholeNumber, 100);
  addClientFlags(command).addHelpText("after", rewardHelp).action(runReward);
}

async function runReward(options: RewardOptions): Promise<void> {
  const { serveReward } = await import("../../serve/reward/serve-reward.ts");
  const { oppoHome } = await import("../../run/lexicon-store.ts");
  const token = tokenOf(options);
  const { weightedTerms } = await import("../../serve/reward/weighted-terms.ts");
  const terms = weightedTerms(options.weight);
  const stop = new AbortController();
  const server = await serveReward({
    access: await embedderAccess(options, options.clauseInstruction, stop.signal),
    data: options.data ?? null,
    embedder: options.embedder,
    accuracy: options.accuracy,
    home: oppoHome(process.env),
    rules: {
      terms,
      threshold: options.threshold,
      empty: options.empty,
      requireWellFormed: options.anyFormat !== true,
    },
    host: options.host,
    port: options.port,
    token,
    maxBodyBytes: options.maxBodyMb * bytesPerMb,
    maxSkippedRows: options.maxSkippedRows,
    log: (line) => void process.stderr.write(`${line}\n`),
  });
  const { address, embedder, accuracy, numSamples, notes } = server;
  if (options.json) console.log(JSON.stringify({ address, embedder, accuracy, numSamples, terms, notes }));
  else {
    const shapes = ["/v1/rewards", "/trl", "/ms-swift", "/verl", "/openrlhf"];
    const auth = token === null ? "" : ` -H "authorization: Bearer $${options.tokenEnv}"`;
    console.log(
      [
        `serving   R = ${terms.map(({ name, weight }) => `${weight} ${name}`).join(" + ")}, delta ${options.threshold}`,
        `address   ${address}${token === null ? "" : " (with a bearer token)"}: ${shapes.join(", ")}`,
        `cues      ${numSamples === 0 ? "with every request" : `of ${numSamples.toLocaleString("en-US")} samples by id, or with the request`}`,
        ...notes,
        `limits    bodies of ${options.maxBodyMb} MB, 4096 completions a request`,
        `try       curl ${address}/v1/rewards -H 'content-type: application/json'${auth} \\`,
        `            -d '{"items": [{"completion": "<think>a wide smile.</think><answer>happy</answer>", "labels": ["happy"], "cues": {"video": ["a smile"]}}], "details": true}'`,
        "stop      Ctrl-C",
      ].join("\n"),
    );
  }
  await untilStopped(() => server.close().finally(() => stop.abort()));
}

function finite(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("Expected a number.");
}

function threshold(text: string): number {
  const value = finite(text);
  if (value >= -1 && value < 1) return value;
  throw new InvalidArgumentError("Expected a number from -1 to below 1.");
}
