// `oppo presets`: the methods that can be trained, as differences from the default settings.

import type { CommandDefinition, CommonOptions } from "../command.ts";

export const presetsCommand: CommandDefinition = {
  name: "presets",
  summary: "list the presets of oppo train and the demo's arms, each with what it changes",
  configure(command) {
    command.action(async (options: CommonOptions) => {
      const { listPresets, presetDelta } = await import("../../recipes/presets/preset-list.ts");
      const presets = listPresets();
      if (options.json) {
        console.log(JSON.stringify(presets, null, 2));
        return;
      }
      for (const { name, title, differences } of presets) {
        console.log(`${name}: ${title}`);
        if (differences.length === 0) console.log("  the default settings");
        for (const { path, value, standard } of differences) {
          console.log(`  ${path}: ${JSON.stringify(value)} (default ${JSON.stringify(standard)})`);
        }
      }
      console.log(presetDelta());
    });
  },
};
