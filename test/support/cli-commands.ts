// A command line with commands that go wrong in every way, for the tests of the real one's plumbing.

import { writeFileSync } from "node:fs";
import type { CommandDefinition } from "../../src/cli/base/command.ts";
import { longRun } from "../../src/cli/base/long-run.ts";
import { runToEnd } from "../../src/cli/program.ts";
import { OppoError } from "../../src/error.ts";

const failures: Record<string, () => void | Promise<void>> = {
  ours: () => {
    throw new OppoError("ERR_TEST", "clip.mp4: expected a video, got 3 bytes. Check the file.");
  },
  system: () => writeFileSync("/nowhere/at/all", ""),
  full: () => writeFileSync("/dev/full", "x"),
  fault: () => {
    throw new TypeError("x is undefined");
  },
  never: () => new Promise<void>(() => undefined),
  late: () => new Promise<void>((resolve) => setTimeout(resolve, 20)),
};

const failCommand: CommandDefinition = {
  name: "fail",
  summary: "fail in a given way",
  group: "First steps:",
  configure(command) {
    command.requiredOption("--how <way>", "which way").action((options: { how: string }) => failures[options.how]?.());
  },
};

const waitCommand: CommandDefinition = {
  name: "wait",
  summary: "go on until stopped",
  group: "First steps:",
  configure(command) {
    command.action(async () => {
      await longRun(async ({ interrupt, progress, payload }) => {
        const stage = progress.stage("waiting", 1000);
        console.log(`ready ${JSON.stringify(payload)}`);
        for (let step = 0; step < 1000; step++) {
          stage.advance("detail");
          if (payload !== null && step === 3) return { steps: step };
          await new Promise((resolve) => setTimeout(resolve, 10));
          await interrupt.safePoint();
        }
        return null;
      });
    });
  },
};

runToEnd([failCommand, waitCommand], process.argv.slice(2));
