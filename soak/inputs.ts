// The changed file of a number: a pure function of seed, format and number, so that a failure can be made again.
import { createRandom } from "../src/random.ts";
import { deriveSeed } from "../src/seeds.ts";
import type { Format } from "./formats.ts";

export function inputOf(
  format: Format,
  seeds: readonly Buffer[],
  task: { readonly format: string; readonly seed: number },
  index: number,
): Buffer {
  const random = createRandom(deriveSeed(task.seed, "fuzz", task.format, index));
  return format.mutation(seeds[random.int(seeds.length)]!, random);
}
