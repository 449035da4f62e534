// How often clips of one emotion have a cue: how much of it can be said without looking. Counted once, over a corpus' annotations.
// B cues of the bank, N clips that are counted
import { createRandom, drawSome } from "../../random.ts";
import type { Cue, Embedder } from "../cue.ts";
import { cosinesOfRows, matrixRows } from "../similarity.ts";
import { type Claim, type ClaimBank, sameCue } from "./claims.ts";

/** A clip's annotation. */
export interface AnnotatedClip {
  readonly id: string;
  readonly labels: readonly string[];
  readonly cues: readonly Cue[];
}

/** p of what a claim states, 0 to 1, among other clips that share a label with the clip: these are looked up once a clip. */
export type CuePrior = (clip: Pick<AnnotatedClip, "id" | "labels">) => (claim: Pick<Claim, "bank">) => number;

/** More clips tell no more, and every cue of theirs is compared with the bank. */
const mostClips = 1024;
/** Clips of all emotions that a label's own are diluted with: few clips of a label say little. */
const numPrior = 2;

/**
 * The prior of a corpus, of more clips than are useful those that the seed draws. A label's p is shrunk towards the cue's share of all
 * clips by two clips' worth; a claim of nothing that the bank has is 0.
 */
export async function cuePrior(
  clips: readonly AnnotatedClip[],
  bank: ClaimBank,
  embedder: Embedder,
  seed: number,
): Promise<CuePrior> {
  const counted = drawSome(clips, mostClips, createRandom(seed));
  const has = await occurrences(counted, bank, embedder);
  const shares = bank.map((_, b) => mean(counted.map((_, n) => has[b * counted.length + n]!)));
  const ofLabel = new Map<string, number[]>();
  for (const [n, { labels }] of counted.entries()) {
    for (const label of new Set(labels)) ofLabel.set(label, [...(ofLabel.get(label) ?? []), n]);
  }
  return ({ id, labels }) => {
    const alike = new Set(labels.flatMap((label) => ofLabel.get(label) ?? []));
    const others = [...alike].filter((n) => counted[n]!.id !== id);
    return ({ bank: b }) => {
      if (b < 0) return 0;
      const hits = others.reduce((sum, n) => sum + has[b * counted.length + n]!, 0);
      return (hits + numPrior * shares[b]!) / (others.length + numPrior);
    };
  };
}

/** [B, N]: 1 where a clip has the cue of the bank, maybe in other words. */
async function occurrences(clips: readonly AnnotatedClip[], bank: ClaimBank, embedder: Embedder): Promise<Uint8Array> {
  const has = new Uint8Array(bank.length * clips.length);
  for (const kind of ["video", "audio"] as const) {
    const texts = [...new Set(clips.flatMap(({ cues }) => textsOf(cues, kind)))];
    const rowOf = new Map(texts.map((text, row) => [text, row]));
    const asked = bank.flatMap((cue, b) => (cue.kind === kind ? [b] : []));
    const left = await embedder.embed(
      asked.map((b) => bank[b]!.text),
      "cue",
    );
    const right = await embedder.embed(texts, "cue");
    const { dimension } = embedder;
    const cosines = cosinesOfRows(matrixRows(left, dimension), matrixRows(right, dimension), dimension);
    for (const [n, { cues }] of clips.entries()) {
      const rows = textsOf(cues, kind).map((text) => rowOf.get(text)!);
      for (const [i, b] of asked.entries()) {
        const isThere = rows.some((row) => texts[row] === bank[b]!.text || cosines[i * texts.length + row]! > sameCue);
        if (isThere) has[b * clips.length + n] = 1;
      }
    }
  }
  return has;
}

const textsOf = (cues: readonly Cue[], kind: Cue["kind"]) =>
  cues.flatMap((cue) => (cue.kind === kind ? [cue.text] : []));

const mean = (values: readonly number[]) =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
