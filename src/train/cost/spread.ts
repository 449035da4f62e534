// How the completions of a step lie on ranks: the unit of work is a prompt and a part of its group, so that eight prompts of four
// feed thirty-two ranks. What the fullest rank has decides both its memory and how long the others wait.
import type { MemoryTask } from "../memory/task.ts";

export interface Spread {
  /** Prompts that the fullest rank has completions of. */
  readonly prompts: number;
  /** Completions of each. */
  readonly group: number;
  /** Ranks without any. */
  readonly idle: number;
}

/** @param prompts of a step @param group completions of each */
export function spreadOver(prompts: number, group: number, ranks: number): Spread {
  const completions = prompts * group;
  const own = Math.ceil(completions / ranks);
  const ownPrompts = Math.ceil(own / group);
  const used = Math.ceil(completions / own);
  return { prompts: ownPrompts, group: Math.ceil(own / ownPrompts), idle: Math.max(0, ranks - used) };
}

/** The task as its fullest rank has it: prompts of a rank times ranks, and its part of a group. */
export function taskOfRank(task: MemoryTask): MemoryTask {
  const { batch, place } = task;
  const { prompts, group } = spreadOver(batch.prompts, batch.groupSize, place.gpus);
  return { ...task, batch: { ...batch, prompts: prompts * place.gpus, groupSize: group } };
}
