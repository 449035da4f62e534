// An observer as training asks it: what of a sample's cues can be read of a clip's rows.
import { cueIndices } from "../../bench/cue-bank.ts";
import { readableAbove } from "../../bench/support/calibration.ts";
import type { Sample } from "../../data/sample.ts";
import type { Cue } from "../../evidence/cue.ts";
import type { ReadCues } from "../masked-inputs.ts";
import type { Observer } from "./observer.ts";

const keyOf = ({ kind, text }: Cue) => `${kind} ${text}`;

/**
 * Of p, the observer's probability that a cue is there: 0 up to one half, where it only knows how frequent cues are, then
 * linearly to 1. A cue that the bank does not have reads 0.
 * @param samples all whose cues will be asked for
 */
export async function readingObserver(observer: Observer, samples: readonly Sample[]): Promise<ReadCues> {
  const distinct = [...new Map(samples.flatMap(({ cues }) => cues.map((cue) => [keyOf(cue), cue] as const))).entries()];
  const [found] = await cueIndices(observer.bank, [{ ...samples[0]!, cues: distinct.map(([, cue]) => cue) }]);
  const indexOf = new Map(distinct.map(([key], i) => [key, found![i]!]));
  return (rows, modality, cues) => {
    const [probabilities] = observer.observe([rows], modality);
    return Float32Array.from(cues, (cue) => {
      const index = indexOf.get(keyOf(cue)) ?? -1;
      const p = index < 0 ? 0 : probabilities![index]!;
      return Math.max(0, (p - readableAbove) / (1 - readableAbove));
    });
  };
}
