// `oppo serve model`: our engine with the face of other servers.

import { type Command, Option } from "commander";
import { OppoError } from "../../error.ts";
import { count, wholeNumber } from "../number.ts";
import { type AddressOptions, bytesPerMb, tokenOf, untilStopped } from "../serve-address.ts";

interface ModelOptions extends AddressOptions {
  readonly name?: string;
  readonly device?: string;
  readonly dtype?: "float32" | "bfloat16";
  readonly maxContext: number;
  readonly maxNewTokens: number;
  readonly maxBatch: number;
  readonly maxBatchTokens: number;
  readonly mediaCacheMb: number;
  readonly maxQueue: number;
  readonly allowMedia?: string;
  readonly allowFetch?: true;
}

const modelHelp = `
Clients of OpenAI's chat completions work with it: text, video and audio parts, streaming, log-probabilities. Media come as
data: URLs; file: URLs only below --allow-media, http(s) only with --allow-fetch. docs/serving.md has all fields.

Example:
  oppo serve model runs/demo/models/sft --port 8000
  curl http://127.0.0.1:8000/v1/chat/completions -H 'content-type: application/json' -d '{"messages": [{"role": "user", "content": "hello"}]}'`;

export function configureModel(command: Command): void {
  command
    .description("Serves a model: /v1/models and /v1/chat/completions.")
    .argument("<directory>", "the model, a Hugging Face style directory")
    .option("--name <text>", "the model's name for clients (default: the directory's)")
    .option("--device <name>", "cpu or cuda (default: cpu)")
    .addOption(
      new Option("--dtype <type>", "convert the weights (default: as stored)").choices(["float32", "bfloat16"]),
    )
    .option("--max-context <count>", "longest prompt and answer together, in tokens", count, 32768)
    .option("--max-new-tokens <count>", "longest answer that may be asked for", count, 2048)
    .option("--max-batch <count>", "requests that decode together", count, 32)
    .option("--max-batch-tokens <count>", "places in the cache that they may take, which is memory", count, 131072)
    .option("--media-cache-mb <count>", "memory for what the towers made of media that come again", wholeNumber, 512)
    .option("--max-queue <count>", "requests that may wait; more get status 429", count, 128)
    .option("--allow-media <folder>", "allow file: URLs below this folder")
    .option("--allow-fetch", "allow http and https URLs of public addresses")
    .addHelpText("after", modelHelp)
    .action(runModel);
}

async function runModel(directory: string, options: ModelOptions): Promise<void> {
  const { serveModel } = await import("../../serve/model/serve-model.ts");
  const token = tokenOf(options);
  const broken = new AbortController();
  const server = await serveModel({
    onBroken: () => broken.abort(),
    directory,
    name: options.name ?? null,
    host: options.host,
    port: options.port,
    token,
    device: options.device ?? null,
    dtype: options.dtype ?? null,
    maxContext: options.maxContext,
    maxBatchTokens: options.maxBatchTokens,
    mediaCacheBytes: options.mediaCacheMb * bytesPerMb,
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
  await untilStopped(() => server.close(), broken.signal);
  if (broken.signal.aborted) {
    throw new OppoError(
      "ERR_ENGINE_GONE",
      "engine: expected it to run, but it ended again and again. Its last words are above.",
    );
  }
}
