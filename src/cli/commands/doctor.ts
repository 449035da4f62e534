// `oppo doctor`: what this machine has for oppo, one line each, and how to mend what is missing; exit code 1 when something is missing.

import type { Command } from "commander";
import { addHelp, type CommonOptions } from "../base/command.ts";
import { printJson } from "../base/json.ts";

export function configureDoctor(command: Command): void {
  addHelp(command, { examples: ["oppo doctor"] });
  command.action(async (options: CommonOptions) => {
    const { examine } = await import("../../recipes/doctor/doctor.ts");
    const findings = await examine(process.env);
    if (options.json) {
      printJson("doctor", Object.fromEntries(findings.map(({ name, ...rest }) => [name, rest])));
    } else {
      for (const { name, isWorking, text, mend } of findings) {
        console.log(`${isWorking ? "ok " : "NO "} ${name.padEnd(10)} ${text}`);
        for (const line of isWorking ? [] : mend) console.log(`${" ".repeat(14)} -> ${line}`);
      }
    }
    if (findings.some(({ isWorking }) => !isWorking)) process.exitCode = 1;
  });
}
