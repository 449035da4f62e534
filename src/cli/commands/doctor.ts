// `oppo doctor`: what this machine has for oppo, one line each, and how to mend what is missing; exit code 1 when something is missing.

import type { CommandDefinition, CommonOptions } from "../command.ts";

export const doctorCommand: CommandDefinition = {
  name: "doctor",
  summary: "show what is there and what is missing (libtorch, codecs, memory, disk), and how to mend it",
  configure(command) {
    command.action(async (options: CommonOptions) => {
      const { examine } = await import("../../recipes/doctor/doctor.ts");
      const findings = await examine(process.env);
      if (options.json) {
        console.log(JSON.stringify(Object.fromEntries(findings.map(({ name, ...rest }) => [name, rest])), null, 2));
      } else {
        for (const { name, isWorking, text, mend } of findings) {
          console.log(`${isWorking ? "ok " : "NO "} ${name.padEnd(10)} ${text}`);
          for (const line of isWorking ? [] : mend) console.log(`${" ".repeat(14)} -> ${line}`);
        }
      }
      if (findings.some(({ isWorking }) => !isWorking)) process.exitCode = 1;
    });
  },
};
