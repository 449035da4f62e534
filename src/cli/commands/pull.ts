// `oppo pull`: a model from a Hugging Face hub, whole and checked, or a reason why not.

import { join } from "node:path";
import type { CommandDefinition, CommonOptions } from "../command.ts";
import { longRun } from "../long-run.ts";

interface PullCommandOptions extends CommonOptions {
  readonly revision: string;
  readonly dir?: string;
  readonly anyModel?: true;
}

const publicHub = "https://huggingface.co";

const afterHelp = `
Fetches settings, tokenizer and the safetensors that oppo reads (not the speech parts of an omni model), never a pickle. What
was stopped goes on from where it was; every file is checked against the hub's hash before it gets its name. HF_TOKEN opens
private and gated models, HF_ENDPOINT is another hub or a mirror.

Examples:
  oppo pull Qwen/Qwen3-Embedding-0.6B
  oppo pull Qwen/Qwen2.5-Omni-3B --dir models/omni-3b`;

export const pullCommand: CommandDefinition = {
  name: "pull",
  summary: "fetch a model from the Hugging Face hub: only what is needed, resumable, checked",
  configure(command) {
    command
      .argument("<repository>", "such as Qwen/Qwen3-Embedding-0.6B")
      .option("--revision <name>", "branch, tag or commit", "main")
      .option("--dir <folder>", "where it goes (default: models/ and the repository's name)")
      .option("--any-model", "all safetensors, also of a model that oppo does not read")
      .addHelpText("after", afterHelp)
      .action((repository: string, options: PullCommandOptions) =>
        longRun(async ({ progress, interrupt }) => {
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
          const result = await pullModel({
            hub,
            repository,
            revision: options.revision,
            directory: options.dir ?? join("models", repository.split("/").at(-1) ?? repository),
            isAny: options.anyModel ?? false,
            progress,
            interrupt,
          });
          console.log(options.json ? JSON.stringify(result, null, 2) : pullText(result));
        }),
      );
  },
};
