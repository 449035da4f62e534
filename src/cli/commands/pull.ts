// `oppo pull`: a model from a Hugging Face hub, whole and checked, or a reason why not.

import { join } from "node:path";
import type { Command } from "commander";
import { pullSettings } from "../../recipes/pull/settings.ts";
import type { SettingsOf } from "../../run/config.ts";
import { addHelp } from "../base/command.ts";
import { printJson } from "../base/json.ts";
import { longRun } from "../base/long-run.ts";
import { withSettings } from "../base/settings-command.ts";

const publicHub = "https://huggingface.co";

const help = {
  notes: `Fetches settings, tokenizer and the safetensors that oppo reads (not the speech parts of an omni model), never a pickle. What
was stopped goes on from where it was; every file is checked against the hub's hash before it gets its name. HF_TOKEN opens
private and gated models, HF_ENDPOINT is another hub or a mirror.`,
  examples: ["oppo pull Qwen/Qwen3-Embedding-0.6B", "oppo pull Qwen/Qwen2.5-Omni-3B --dir models/omni-3b"],
};

export function configurePull(command: Command): void {
  addHelp(command.argument("<repository>", "such as Qwen/Qwen3-Embedding-0.6B"), help);
  withSettings(command, { schema: pullSettings }, (settings, { args: [repository], isJson }) =>
    pull(repository!, settings, isJson),
  );
}

function pull(repository: string, { revision, dir, anyModel }: SettingsOf<typeof pullSettings>, isJson: boolean) {
  return longRun(async ({ progress, interrupt }) => {
    const [{ connect, pullModel }, { pullText }] = await Promise.all([
      import("../../recipes/pull/pull-model.ts"),
      import("../../recipes/pull/pull-text.ts"),
    ]);
    const { HF_TOKEN: token = "", HF_ENDPOINT: endpoint = "" } = process.env;
    const hub = connect({
      url: endpoint === "" ? publicHub : endpoint,
      token: token === "" ? null : token,
      signal: interrupt.signal,
      progress,
    });
    const directory = dir ?? join("models", repository.split("/").at(-1) ?? repository);
    const result = await pullModel({ hub, repository, revision, directory, isAny: anyModel, progress, interrupt });
    if (isJson) printJson("pull", result);
    else console.log(pullText(result));
  });
}
