// Progress and interrupt for recipes that tests call: log lines are kept, nothing is drawn, nothing interrupts.
import type { Interrupt } from "../../src/run/interrupt.ts";
import type { Progress } from "../../src/run/progress.ts";

export function quietRun(): { progress: Progress; interrupt: Interrupt; lines: string[] } {
  const lines: string[] = [];
  const stage = { update: () => {}, advance: () => {}, finish: () => {} };
  return {
    lines,
    progress: { log: (line) => void lines.push(line), stage: () => stage, [Symbol.dispose]: () => {} },
    interrupt: {
      signal: new AbortController().signal,
      request: () => {},
      safePoint: async () => {},
      [Symbol.dispose]: () => {},
    },
  };
}
