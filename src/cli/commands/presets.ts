// `oppo presets`: the methods that can be trained, as differences from the default settings.

import type { Command } from "commander";
import { addHelp, type CommonOptions } from "../base/command.ts";
import { printJson } from "../base/json.ts";

export function configurePresets(command: Command): void {
  addHelp(command, { examples: ["oppo presets"] });
  command.action(async (options: CommonOptions) => {
    const { listPresets, listSftPresets, presetDelta } = await import("../../recipes/presets/preset-list.ts");
    const presets = listPresets();
    if (options.json) {
      printJson("presets", { presets, sft: listSftPresets() });
      return;
    }
    for (const { name, title, differences } of [...listSftPresets(), ...presets]) {
      console.log(`${name}: ${title}`);
      if (differences.length === 0) console.log("  the default settings");
      for (const { path, value, standard } of differences) {
        console.log(`  ${path}: ${JSON.stringify(value)} (default ${JSON.stringify(standard)})`);
      }
    }
    console.log(presetDelta());
  });
}
