// `oppo serve model`: our engine with the face of other servers.

import type { Command } from "commander";
import { OppoError } from "../../../error.ts";
import type { SettingsOf } from "../../../run/config.ts";
import type { ModelServer } from "../../../serve/model/serve-model.ts";
import { serveModelSettings } from "../../../serve/model/settings.ts";
import { addHelp } from "../../base/command.ts";
import { printJsonLine } from "../../base/json.ts";
import { bytesPerMb, tokenOf, untilStopped } from "../../base/serving.ts";
import { withSettings } from "../../base/settings-command.ts";

type ModelSettings = SettingsOf<typeof serveModelSettings>;

const help = {
  notes: `Clients of OpenAI's chat completions work with it: text, video and audio parts, streaming, log-probabilities. Media come as
data: URLs; file: URLs only below --allow-media, http(s) only with --allow-fetch. docs/serving.md has all fields.

  curl http://127.0.0.1:8000/v1/chat/completions -H 'content-type: application/json' -d '{"messages": [{"role": "user", "content": "hello"}]}'`,
  examples: ["oppo serve model runs/demo/models/sft --port 8000"],
};

export function configureModel(command: Command): void {
  command
    .description("Serves a model: /v1/models and /v1/chat/completions.")
    .argument("<folder>", "the model, a Hugging Face style folder");
  addHelp(command, help);
  withSettings(command, { schema: serveModelSettings }, (settings, { args: [folder], isJson }) =>
    serve(folder!, settings, isJson),
  );
}

async function serve(directory: string, settings: ModelSettings, isJson: boolean): Promise<void> {
  const { serveModel } = await import("../../../serve/model/serve-model.ts");
  const { mediaCacheMb, maxBodyMb, allowMedia, allowFetch, tokenEnv: _, ...shared } = settings;
  const broken = new AbortController();
  const token = tokenOf(settings);
  const server = await serveModel({
    ...shared,
    onBroken: () => broken.abort(),
    directory,
    token,
    mediaCacheBytes: mediaCacheMb * bytesPerMb,
    maxBodyBytes: maxBodyMb * bytesPerMb,
    allowedMediaFolder: allowMedia,
    allowsFetch: allowFetch,
    log: (line) => void process.stderr.write(`${line}\n`),
  });
  const { address, name, facts } = server;
  if (isJson) printJsonLine("serve-model", { address, model: name, ...facts });
  else console.log(screenOf(server, settings, token !== null));
  await untilStopped(() => server.close(), broken.signal);
  if (broken.signal.aborted) {
    throw new OppoError(
      "ERR_ENGINE_GONE",
      "engine: expected it to run, but it ended again and again. Its last words are above.",
    );
  }
}

function screenOf({ address, name, facts }: ModelServer, settings: ModelSettings, hasToken: boolean): string {
  const media = [
    "data: URLs",
    ...(settings.allowMedia === null ? [] : [`files below ${settings.allowMedia}`]),
    ...(settings.allowFetch ? ["public http(s) addresses"] : []),
  ];
  return [
    `serving   ${name}: ${facts.architecture}, ${facts.numParameters.toLocaleString("en-US")} parameters, ${facts.dtype}`,
    `address   ${address}/v1${hasToken ? " (with a bearer token)" : ""}`,
    `limits    ${facts.maxContext} tokens of context, ${settings.maxNewTokens} new, batches of ${settings.maxBatch}, queue of ${settings.maxQueue}, bodies of ${settings.maxBodyMb} MB`,
    `media     ${media.join(", ")}`,
    `try       curl ${address}/v1/chat/completions -H 'content-type: application/json'${hasToken ? ` -H "authorization: Bearer $${settings.tokenEnv}"` : ""} \\`,
    `            -d '{"messages": [{"role": "user", "content": "hello"}], "max_tokens": 32}'`,
    "stop      Ctrl-C",
  ].join("\n");
}
