// `oppo demo-task`: one task of the demo, in a process that the demo started; the task comes from the parent.

import type { Command } from "commander";
import type { DemoConfig } from "../../../recipes/demo/config.ts";
import type { DemoTask } from "../../../recipes/demo/run-task.ts";
import { longRun } from "../../base/long-run.ts";

interface Payload {
  readonly task: DemoTask;
  readonly directory: string;
  readonly config: DemoConfig;
}

/** Tasks count differently; their progress is told in these parts. */
const parts = 1000;

export function configureDemoTask(command: Command): void {
  command.action(() =>
    longRun(async ({ progress, interrupt, payload }) => {
      const { task, directory, config } = payload as Payload;
      const { demoPaths } = await import("../../../recipes/demo/paths.ts");
      const { runDemoTask, taskName } = await import("../../../recipes/demo/run-task.ts");
      const stage = progress.stage(taskName(task), parts);
      await runDemoTask(task, {
        paths: demoPaths(directory),
        config,
        interrupt,
        progress: ({ done, total, detail }) => stage.update(Math.floor((done / total) * parts), detail),
      });
      stage.finish();
    }),
  );
}
