// Every command of the command line, in the order of the help.

import type { CommandDefinition } from "../command.ts";
import { dataCommand } from "./data.ts";
import { demoCommand } from "./demo.ts";
import { demoTaskCommand } from "./demo-task.ts";
import { doctorCommand } from "./doctor.ts";
import { embedCommand } from "./embed.ts";
import { evidenceCommand } from "./evidence.ts";
import { inferCommand } from "./infer.ts";
import { initCommand } from "./init.ts";
import { inspectCommand } from "./inspect.ts";
import { lexiconCommand } from "./lexicon.ts";
import { mepCommand } from "./mep.ts";
import { presetsCommand } from "./presets.ts";
import { pullCommand } from "./pull.ts";
import { reportCommand } from "./report.ts";
import { scoreCommand } from "./score.ts";
import { serveCommand } from "./serve.ts";
import { setupCommand } from "./setup.ts";
import { theatreCommand } from "./theatre.ts";
import { trainCommand } from "./train.ts";

export const commands: readonly CommandDefinition[] = [
  demoCommand,
  reportCommand,
  theatreCommand,
  trainCommand,
  mepCommand,
  scoreCommand,
  embedCommand,
  pullCommand,
  lexiconCommand,
  evidenceCommand,
  inferCommand,
  serveCommand,
  inspectCommand,
  initCommand,
  presetsCommand,
  dataCommand,
  setupCommand,
  doctorCommand,
  demoTaskCommand,
];
