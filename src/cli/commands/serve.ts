// `oppo serve`: servers. `model` gives our engine the face of other servers; `reward` scores completions for other trainers.

import type { Command } from "commander";
import { InvalidArgumentError, Option } from "commander";
import { OppoError } from "../../error.ts";
import type { CommandDefinition, CommonOptions } from "../command.ts";
import { count, wholeNumber } from "../number.ts";

export interface AddressOptions extends CommonOptions {
  readonly host: string;
  readonly port: number;
  readonly tokenEnv?: string;
  readonly maxBodyMb: number;
}

interface ModelOptions extends AddressOptions {
  readonly name?: string;
  readonly device?: string;
  readonly dtype?: "float32" | "bfloat16";
  readonly maxContext?: number;
  readonly maxNewTokens: number;
  readonly maxBatch: number;
  readonly maxQueue: number;
  readonly allowMedia?: string;
  readonly allowFetch?: true;
}

interface RewardOptions extends AddressOptions {
  readonly data?: string;
  readonly embedder: string;
  readonly lexicon?: string;
  readonly accuracyWeight: number;
  readonly formatWeight: number;
  readonly omniWeight: number;
  readonly threshold: number;
  readonly empty: "zero" | "skip";
  readonly anyFormat?: true;
  readonly maxSkippedRows: number;
}

const bytesPerMb = 1024 * 1024;

const modelHelp = `
Clients of OpenAI's chat completions work with it: text, video and audio parts, streaming, log-probabilities. Media come as
data: URLs; file: URLs only below --allow-media, http(s) only with --allow-fetch. docs/serving.md has all fields.

Example:
  oppo serve model runs/demo/models/sft --port 8000
  curl http://127.0.0.1:8000/v1/chat/completions -H 'content-type: application/json' -d '{"messages": [{"role": "user", "content": "hello"}]}'`;

const rewardHelp = `
R = accuracy + format + alpha R_omni, with all parts, for GRPO in any trainer: /v1/rewards is our own shape, /trl, /ms-swift,
/verl and /openrlhf take what those frameworks have at hand. docs/reward-server.md has a snippet to paste for each.

Example:
  oppo serve reward --data runs/demo/corpus/train.jsonl
  curl http://127.0.0.1:8200/v1/rewards -H 'content-type: application/json' -d '{"items": [{"sample": "train-00000",
    "completion": "<think>the video shows a furrowed brow.</think><answer>angry</answer>"}], "details": true}'`;

export const serveCommand: CommandDefinition = {
  name: "serve",
  summary: "servers: a model with OpenAI's chat completions, or the Omni-Perception Reward for other trainers",
  configure(command) {
    command.helpCommand(false);
    configureModel(addressed(command.command("model"), 8000, 64));
    configureReward(addressed(command.command("reward"), 8200, 16));
  },
};

/** The options that every server has. */
function addressed(command: Command, port: number, maxBodyMb: number): Command {
  return command
    .option("--host <address>", "where to listen; others than 127.0.0.1 are reached from outside", "127.0.0.1")
    .option("--port <number>", "0: any free one", wholeNumber, port)
    .option("--token-env <variable>", "ask for the bearer token that this environment variable holds")
    .option("--max-body-mb <count>", "largest request", count, maxBodyMb)
    .option("--json", "print the startup line and errors as JSON")
    .option("--verbose", "print errors with their stack");
}

function configureModel(command: Command): void {
  command
    .description("Serves a model: /v1/models and /v1/chat/completions.")
    .argument("<directory>", "the model, a Hugging Face style directory")
    .option("--name <text>", "the model's name for clients (default: the directory's)")
    .option("--device <name>", "cpu or cuda (default: cpu)")
    .addOption(
      new Option("--dtype <type>", "convert the weights (default: as stored)").choices(["float32", "bfloat16"]),
    )
    .option("--max-context <count>", "longest prompt and answer together, in tokens (default: 32768)", count)
    .option("--max-new-tokens <count>", "longest answer that may be asked for", count, 2048)
    .option("--max-batch <count>", "requests that decode together", count, 32)
    .option("--max-queue <count>", "requests that may wait; more get status 429", count, 128)
    .option("--allow-media <folder>", "allow file: URLs below this folder")
    .option("--allow-fetch", "allow http and https URLs of public addresses")
    .addHelpText("after", modelHelp)
    .action(runModel);
}

async function runModel(directory: string, options: ModelOptions): Promise<void> {
  const { serveModel } = await import("../../serve/model/serve-model.ts");
  const token = tokenOf(options);
  const server = await serveModel({
    directory,
    name: options.name ?? null,
    host: options.host,
    port: options.port,
    token,
    device: options.device ?? null,
    dtype: options.dtype ?? null,
    maxContext: options.maxContext ?? null,
    maxNewTokens: options.maxNewTokens,
    maxBatch: options.maxBatch,
    maxQueue: options.maxQueue,
    maxBodyBytes: options.maxBodyMb * bytesPerMb,
    allowedMediaFolder: options.allowMedia ?? null,
    allowsFetch: options.allowFetch ?? false,
    log: (line) => void process.stderr.write(`${line}\n`),
  });
  const { address, name, facts } = server;
  if (options.json) console.log(JSON.stringify({ address, model: name, ...facts }));
  else {
    const media = [
      "data: URLs",
      ...(options.allowMedia === undefined ? [] : [`files below ${options.allowMedia}`]),
      ...(options.allowFetch === true ? ["public http(s) addresses"] : []),
    ];
    console.log(
      [
        `serving   ${name}: ${facts.architecture}, ${facts.numParameters.toLocaleString("en-US")} parameters, ${facts.dtype}`,
        `address   ${address}/v1${token === null ? "" : " (with a bearer token)"}`,
        `limits    ${facts.maxContext} tokens of context, ${options.maxNewTokens} new, batches of ${options.maxBatch}, queue of ${options.maxQueue}, bodies of ${options.maxBodyMb} MB`,
        `media     ${media.join(", ")}`,
        `try       curl ${address}/v1/chat/completions -H 'content-type: application/json'${token === null ? "" : ` -H "authorization: Bearer $${options.tokenEnv}"`} \\`,
        `            -d '{"messages": [{"role": "user", "content": "hello"}], "max_tokens": 32}'`,
        "stop      Ctrl-C",
      ].join("\n"),
    );
  }
  await untilStopped(() => server.close());
}

/** The bearer token from the environment. @throws OppoError ERR_TOKEN_EMPTY where the variable holds none */
function tokenOf({ tokenEnv }: AddressOptions): string | null {
  if (tokenEnv === undefined) return null;
  const token = process.env[tokenEnv];
  if (token !== undefined && /^\S+$/.test(token)) return token;
  throw new OppoError(
    "ERR_TOKEN_EMPTY",
    `--token-env: expected a token without spaces in the environment variable ${tokenEnv}, got none. Set it first.`,
  );
}

/** Serves until Ctrl-C or a request to end; then finishes what runs. A second Ctrl-C ends at once. */
async function untilStopped(close: () => Promise<void>): Promise<void> {
  const { listenForInterrupt } = await import("../../run/interrupt.ts");
  using interrupt = listenForInterrupt({
    onRequest: () => process.stderr.write("Stopping after what runs; Ctrl-C again stops at once.\n"),
  });
  await new Promise<void>((resolve) => interrupt.signal.addEventListener("abort", () => resolve()));
  await close();
}

function configureReward(command: Command): void {
  command
    .description("Scores completions with the Omni-Perception Reward, for TRL, verl, ms-swift, OpenRLHF and others.")
    .option("--data <file>", "samples with cues and labels, one JSON object per line; requests then name a sample")
    .option("--embedder <choice>", "as of oppo train; without --data one that needs no corpus", "auto")
    .option(
      "--lexicon <choice>",
      "of the accuracy: built-in, affectgpt, mer2026, a file, theatre or exact (default: as oppo score; the theatre's for its corpora)",
    )
    .option("--accuracy-weight <number>", "weight of R_acc", finite, 1)
    .option("--format-weight <number>", "weight of R_fmt", finite, 1)
    .option("--omni-weight <number>", "alpha, the weight of R_omni", finite, 0.5)
    .option("--threshold <number>", "delta, below which a clause does not speak of a cue", threshold, 0.5)
    .addOption(
      new Option("--empty <rule>", "a kind without cues counts 0, or is left out and the others scaled up")
        .choices(["zero", "skip"])
        .default("zero"),
    )
    .option("--any-format", "malformed completions may earn R_omni too (training: they do not)")
    .option("--max-skipped-rows <count>", "rows of --data that may be no samples", wholeNumber, 100)
    .addHelpText("after", rewardHelp)
    .action(runReward);
}

async function runReward(options: RewardOptions): Promise<void> {
  const { serveReward } = await import("../../serve/reward/serve-reward.ts");
  const { oppoHome } = await import("../../run/lexicon-store.ts");
  const token = tokenOf(options);
  const weights = { accuracy: options.accuracyWeight, format: options.formatWeight, omni: options.omniWeight };
  const server = await serveReward({
    data: options.data ?? null,
    embedder: options.embedder,
    lexicon: options.lexicon ?? null,
    home: oppoHome(process.env),
    rules: {
      weights,
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
  if (options.json) console.log(JSON.stringify({ address, embedder, accuracy, numSamples, weights, notes }));
  else {
    const shapes = ["/v1/rewards", "/trl", "/ms-swift", "/verl", "/openrlhf"];
    const auth = token === null ? "" : ` -H "authorization: Bearer $${options.tokenEnv}"`;
    console.log(
      [
        `serving   R = ${weights.accuracy} accuracy + ${weights.format} format + ${weights.omni} R_omni, delta ${options.threshold}`,
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
  await untilStopped(() => server.close());
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
