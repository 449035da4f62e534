// `oppo doctor`: what this machine has for oppo, one line each; exit code 1 when something is missing.

import type { CommandDefinition, CommonOptions } from "../command.ts";

export const doctorCommand: CommandDefinition = {
  name: "doctor",
  summary: "show versions, libtorch, codecs, memory and disk, and whether all of it works",
  configure(command) {
    command.action(async (options: CommonOptions) => {
      const { examine } = await import("../../recipes/doctor/doctor.ts");
      const findings = await examine();
      if (options.json) {
        console.log(JSON.stringify(Object.fromEntries(findings.map(({ name, ...rest }) => [name, rest])), null, 2));
      } else {
        for (const { name, isWorking, text } of findings)
          console.log(`${isWorking ? "ok " : "NO "} ${name.padEnd(10)} ${text}`);
      }
      if (findings.some(({ isWorking }) => !isWorking)) process.exitCode = 1;
    });
  },
};
