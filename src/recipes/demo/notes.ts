// What a reader of the demo's table has to know beside it. Sentences with numbers are made from the table's own.
import { coldStarts } from "../../data/theatre/world.ts";
import type { ArmResult } from "../../page/data.ts";
import type { DeepReadonly } from "../../run/config.ts";
import { honestArm } from "./arms.ts";
import type { DemoConfig } from "./config.ts";
import { heldOutMasks } from "./held-out-masks.ts";

export function demoNotes(config: DeepReadonly<DemoConfig>, arms: readonly ArmResult[]): string[] {
  const pair = (name: string, metric: string): string | null => {
    const report = arms.find((arm) => arm.name === name)?.metrics;
    const [video, audio] = [report?.[`${metric}Video`]?.value, report?.[`${metric}Audio`]?.value];
    return typeof video === "number" && typeof audio === "number"
      ? `${video.toFixed(2)} and ${audio.toFixed(2)}`
      : null;
  };
  const claims = (name: string) => pair(name, "hallucinated");
  return [
    labels(config),
    ...honest(claims(honestArm), claims("oppo"), claims("reward-only")),
    ...masks(pair("oppo", "heldOutMask"), pair("sft", "heldOutMask"), claims("oppo")),
    config.seeds === 1
      ? "One seed on one machine. Processors add in another order, a cold start amplifies it, and another training seed moves a score by more than the small intervals, which are of the clips: read differences between the arms, of one cold start."
      : "Seeds differ by more than clips do; the band between them stands below the table. Another machine adds in another order, which a cold start amplifies.",
  ];
}

function labels({ sft }: DeepReadonly<DemoConfig>): string {
  const described = coldStarts[sft.coldStart];
  const blanks = "Of the clips that the cold start shows without their picture or their sound";
  if (described === 0) return `${blanks}, every label says that nothing can be seen or heard (sft.coldStart: honest).`;
  const share = `${blanks}, ${(100 * described).toFixed(0)}% are labelled with what was taken away. That is by design: it plants the claims without evidence that the arms are compared by`;
  return described === 1
    ? `${share}, and no example says that nothing can be seen or heard (sft.coldStart: described).`
    : `${share}; the others say that nothing can be seen or heard.`;
}

function honest(own: string | null, oppo: string | null, reward: string | null): string[] {
  if (own === null) return [];
  const beside = oppo === null ? "" : `, OPPO from the mislabelled start ${oppo}`;
  const without = reward === null ? "" : `, the reward alone from that start ${reward}`;
  return [
    `Right labels are the other remedy: from a cold start of its own in which every blank is labelled as one, the reward alone ends with ${own} claims per clip about a black picture and a silent sound${beside}${without}. The perception loss is for corpora whose labels cannot be put right.`,
  ];
}

function masks(oppo: string | null, start: string | null, black: string | null): string[] {
  if (oppo === null) return [];
  const { video, audio } = heldOutMasks;
  const before = start === null ? "" : ` (the cold start ${start})`;
  const trained = black === null ? "" : ` where a black picture and silence give ${black}`;
  return [
    `OPPO was trained under black pictures and silence, and what it says of them holds for them. A ${video.kind} picture and ${audio.kind} in place of the sound, which it never met, give ${oppo} claims per clip${before}${trained}.`,
  ];
}
