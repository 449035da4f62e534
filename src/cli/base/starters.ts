// The npm that started us, asked before anything else is loaded: whoever kills npx meanwhile wants a server to end, too.

import { npmAbove } from "../../run/parent-watch.ts";

export const starters = npmAbove(process.env);
