// `oppo completion`: a shell's script that completes commands, options and their choices.

import { Argument, type Command } from "commander";
import { addHelp, type CommonOptions } from "../base/command.ts";
import { printScript, shells } from "../base/completion.ts";

const help = {
  notes: `Put the line into your shell's start file (~/.bashrc, ~/.zshrc); for fish, write the output to
~/.config/fish/completions/oppo.fish. "oppo" must be on the PATH.

  source <(oppo completion bash)`,
  examples: ["oppo completion bash", "oppo completion zsh", "oppo completion fish"],
};

export function configureCompletion(command: Command): void {
  addHelp(command.addArgument(new Argument("<shell>", "which shell").choices(shells)), help);
  command.action((shell: (typeof shells)[number], _options: CommonOptions) => printScript(shell));
}
