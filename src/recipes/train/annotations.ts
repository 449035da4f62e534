// Whether samples have what a run is paid by: cues for the perception reward and for evidence tokens, labels for accuracy. Without them
// it would learn to write well-formed answers and nothing else, and say so after hours.
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";
import type { RunConfig } from "./run-config.ts";

/** @returns lines for the log @throws OppoError ERR_NO_ANNOTATIONS where no sample has what the run needs */
export function annotationNotes(samples: readonly Sample[], { data, reward, perception }: RunConfig): string[] {
  const isPaid = (term: string) => reward.terms.some(({ name, weight }) => name === term && weight !== 0);
  // PAPO's views take every token; only evidence tokens need cues.
  const readsEvidence =
    ["oppo", "random", "swapped"].includes(perception.views) &&
    (perception.perceptionLossWeight !== 0 || perception.anchorWeight !== 0);
  const needs = [
    {
      what: "cues",
      isNeeded: isPaid("omni") || readsEvidence,
      has: ({ cues }: Sample) => cues.length > 0,
      advice: "Make them of written reasonings: oppo evidence extract.",
    },
    {
      what: "labels",
      isNeeded: isPaid("accuracy") || isPaid("label"),
      has: ({ labels }: Sample) => labels.length > 0,
      advice: "Say which key holds them (--fields labels=KEY), or take accuracy and label out of reward.terms.",
    },
  ];
  return needs.flatMap(({ what, isNeeded, has, advice }) => {
    const numWithout = samples.filter((sample) => !has(sample)).length;
    if (!isNeeded || numWithout === 0) return [];
    if (numWithout < samples.length) {
      return [`warning: ${numWithout} of ${samples.length} samples have no ${what}: nothing is learnt of them by that`];
    }
    throw new OppoError(
      "ERR_NO_ANNOTATIONS",
      `${data}: expected samples with ${what}, got ${samples.length} without. ${advice}`,
    );
  });
}
