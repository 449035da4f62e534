// An observer as training asks it: what of a sample's cues can be read of a clip's rows.
import { cueIndices } from "../../bench/cue-bank.ts";
import { readableAbove } from "../../bench/support/calibration.ts";
import type { Observe } from "../../bench/support/measure-support.ts";
import type { Sample } from "../../data/sample.ts";
import type { Cue } from "../../evidence/cue.ts";
import type { ReadCues } from "../masked-inputs.ts";
import type { Observer } from "./observer.ts";

const keyOf = ({ kind, text }: Cue) => `${kind} ${text}`;

/** Distinct cues that are embedded at once. */
const cuesAtOnce = 4096;

/**
 * Of p, the observer's probability that a cue is there: 0 up to its floor, where it only knows how frequent cues are, then
 * linearly to 1. A cue that the bank does not have reads 0.
 * @param samples all whose cues will be asked for
 * @param floors of every cue of the bank; left out: one half
 */
export async function readingObserver(
  observer: Observer,
  samples: readonly Sample[],
  floors: ArrayLike<number> | null = null,
): Promise<ReadCues> {
  const indexOf = await indicesOf(observer, samples);
  return ({ rows, modality, cues }) => {
    const [probabilities] = observer.observe([rows], modality);
    return Float32Array.from(cues, (cue) => {
      const index = indexOf.get(keyOf(cue)) ?? -1;
      const p = index < 0 ? 0 : probabilities![index]!;
      const floor = index < 0 ? readableAbove : (floors?.[index] ?? readableAbove);
      return Math.max(0, (p - floor) / (1 - floor));
    });
  };
}

async function indicesOf({ bank }: Observer, samples: readonly Sample[]): Promise<Map<string, number>> {
  const distinct = new Map<string, Cue>();
  for (const { cues } of samples) for (const cue of cues) distinct.set(keyOf(cue), cue);
  const all = [...distinct.values()];
  const indexOf = new Map<string, number>();
  for (let start = 0; start < all.length; start += cuesAtOnce) {
    const cues = all.slice(start, start + cuesAtOnce);
    const [found] = await cueIndices(bank, [{ ...samples[0]!, cues }]);
    for (const [i, cue] of cues.entries()) indexOf.set(keyOf(cue), found![i]!);
  }
  return indexOf;
}

/** The same for a benchmark, which takes what is above one half for readable: a probability's floor is put there. */
export function observeAbove(observe: Observe, floors: ArrayLike<number>): Observe {
  const moved = (p: number, floor: number) =>
    p > floor ? readableAbove + ((p - floor) / (1 - floor)) * (1 - readableAbove) : (p / floor) * readableAbove;
  return async (views, modality) => {
    const observed = await observe(views, modality);
    return observed.map((own) => Float32Array.from(own, (p, cue) => moved(p, floors[cue]!)));
  };
}
