// Every command of the command line, in the order of the help.

import type { CommandDefinition } from "../command.ts";
import { doctorCommand } from "./doctor.ts";

export const commands: readonly CommandDefinition[] = [doctorCommand];
