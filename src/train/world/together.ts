// What a loop over several processes does at one place: stop when one of them is asked to, and let rank 0 do what is done once.
import { OppoError } from "../../error.ts";
import { type Interrupt, InterruptedError } from "../../run/interrupt.ts";
import type { World } from "../../tensor/index.ts";
import type { Evaluation } from "../watch/evaluations.ts";

/** Every rank stops at this place: a checkpoint can be made of it. */
export class StoppedTogether extends InterruptedError {}

type Facts = Readonly<Record<string, string>>;

/** A safe point of all ranks: whoever was asked to stop, they stop here, all of them. @throws InterruptedError; of several StoppedTogether */
export async function safePointOf(world: World, interrupt: Interrupt): Promise<void> {
  if (world.size === 1) return await interrupt.safePoint();
  const isStopped = await interrupt.safePoint().then(
    () => false,
    (error: unknown) => {
      if (error instanceof InterruptedError) return true;
      throw error;
    },
  );
  if (world.max("whether to stop", [isStopped ? 1 : 0])[0] === 0) return;
  interrupt.request();
  throw new StoppedTogether();
}

/** Rank 0 does it and all get what it gives; an interruption is of all. */
export async function onFirst<T>(world: World, what: string, body: () => T | Promise<T>): Promise<T> {
  if (world.size === 1) return await body();
  try {
    return await world.first(what, body, (error) => error instanceof InterruptedError);
  } catch (error) {
    throw error instanceof OppoError && error.code === "ERR_INTERRUPTED" ? new StoppedTogether() : error;
  }
}

/**
 * What has to be the same on every rank, by name: short texts, made where there are others to compare them with.
 * @throws OppoError ERR_RANKS_DIFFER, on all of them
 */
export async function requireSame(world: World, factsOf: () => Facts | Promise<Facts>): Promise<void> {
  if (world.size === 1) return;
  const all = world.gather("whether ranks agree", await factsOf());
  for (const [rank, theirs] of all.entries()) {
    const name = Object.keys(all[0]!).find((fact) => theirs[fact] !== all[0]![fact]);
    if (name === undefined) continue;
    throw new OppoError(
      "ERR_RANKS_DIFFER",
      `rank ${rank}: expected the ${name} of rank 0, ${all[0]![name]}, got ${theirs[name]}. All ranks need the same command, files and versions.`,
    );
  }
}

/** Stands for the evaluation that rank 0 has. */
export const evaluatedElsewhere: Evaluation = { every: 1, evaluate: () => ({}) };

/** Rank 0 makes it, then the others do: what it keeps on the disk is there for them. */
export async function firstThenOthers<T>(world: World, what: string, body: () => Promise<T>): Promise<T> {
  if (world.rank !== 0) {
    await onFirst(world, what, () => null);
    return await body();
  }
  const made = await body();
  await onFirst(world, what, () => null);
  return made;
}
