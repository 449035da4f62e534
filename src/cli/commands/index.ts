// Every command of the command line, in the order of the help.

import type { CommandDefinition } from "../command.ts";
import { demoCommand } from "./demo.ts";
import { demoTaskCommand } from "./demo-task.ts";
import { doctorCommand } from "./doctor.ts";

export const commands: readonly CommandDefinition[] = [demoCommand, doctorCommand, demoTaskCommand];
