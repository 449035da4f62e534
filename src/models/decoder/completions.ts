// What hidden states are asked for: completions of every prompt, at least one token in all.
import { OppoError } from "../../error.ts";

export type Completions = readonly (readonly Int32Array[])[];

/** @throws OppoError ERR_COMPLETIONS */
export function requireCompletions(numPrompts: number, completions: Completions): void {
  const longest = completions.reduce((most, own) => Math.max(most, ...own.map((ids) => ids.length)), 0);
  if (numPrompts === completions.length && longest > 0) return;
  throw new OppoError(
    "ERR_COMPLETIONS",
    `hidden: expected completions for ${numPrompts} prompts with at least one token, got ${completions.length} ` +
      `lists, longest completion ${longest}. Give every prompt its completions.`,
  );
}
