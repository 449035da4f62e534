// Which rows are learnt from, which are measured on, and which are kept for reinforcement. Rows that show one clip stay together: what
// is measured on is nowhere learnt from.
import { join, resolve } from "node:path";
import { sharedContent } from "../../corpus/overlap.ts";
import { wayToMedia } from "../../corpus/way-to-media.ts";
import type { Conversation } from "../../data/conversations/conversation.ts";
import { writeSamples } from "../../data/jsonl.ts";
import { OppoError } from "../../error.ts";
import { createRandom, permutation } from "../../random.ts";
import { deriveSeed } from "../../seeds.ts";
import { contentRows, type SftData } from "./sft-data.ts";

export interface Split {
  readonly learnt: readonly Conversation[];
  readonly heldOut: readonly Conversation[];
  /** Neither; empty where all are learnt from. */
  readonly rest: readonly Conversation[];
}

export interface SplitOptions {
  readonly seed: number;
  readonly samples: number | null;
  readonly evalSamples: number | null;
}

/** @throws OppoError ERR_NO_SAMPLES when nothing is left to learn from */
export async function splitData(
  data: Pick<SftData, "file" | "mediaRoot" | "conversations">,
  { seed, samples, evalSamples }: SplitOptions,
): Promise<Split> {
  const { conversations } = data;
  const order = permutation(conversations.length, createRandom(deriveSeed(seed, "split")));
  const drawn = new Set(order.slice(0, evalSamples ?? 0).map((at) => conversations[at]!));
  if (drawn.size > 0) {
    const others = conversations.filter((one) => !drawn.has(one));
    // Others about a clip that is measured on go with it, whatever the file is called.
    const shared = await sharedContent(contentRows(data, [...drawn]), contentRows(data, others));
    for (const { second } of shared) drawn.add(second.conversation);
  }
  const free = order.map((at) => conversations[at]!).filter((one) => !drawn.has(one));
  const learnt = new Set(free.slice(0, samples ?? free.length));
  if (learnt.size === 0) {
    throw new OppoError(
      "ERR_NO_SAMPLES",
      `${data.file}: expected samples beside the ${drawn.size} that are evaluated on, got none. Lower evalSamples.`,
    );
  }
  const inOrder = (chosen: ReadonlySet<Conversation>) => conversations.filter((one) => chosen.has(one));
  return { learnt: inOrder(learnt), heldOut: inOrder(drawn), rest: inOrder(new Set(free.slice(learnt.size))) };
}

export const restName = "rest.jsonl";

/**
 * Writes the samples that are neither learnt from nor measured on, those without a reasoning among them, for reinforcement.
 * @returns their number
 */
export async function writeRest(
  folder: string,
  { samples, mediaRoot }: { readonly samples: NonNullable<SftData["samples"]>; readonly mediaRoot: string },
  { learnt, heldOut }: Split,
): Promise<number> {
  const used = new Set([...learnt, ...heldOut].map(({ id }) => id));
  const rest = [...samples.values()].filter(({ id }) => !used.has(id));
  const file = join(folder, restName);
  const { prefix } = wayToMedia(resolve(file), mediaRoot, "rest");
  const under = (path: string) => (prefix === "" ? path : `${prefix}/${path}`);
  await writeSamples(
    file,
    rest.map((sample) => ({
      ...sample,
      media: under(sample.media),
      ...(sample.audio === undefined ? {} : { audio: under(sample.audio) }),
    })),
  );
  return rest.length;
}
