// Yes/no questions about single cues of annotated clips, of which neither answer can be guessed: of what a clip's emotion suggests as much
// is asked where it is as where it is not. A question about something that nothing suggests is answered without a look.
// B cues of the bank
import { type Random, weightedPlace } from "../../random.ts";
import type { Cue, Embedder } from "../cue.ts";
import { cosinesOfRows, matrixRows } from "../similarity.ts";
import { type ClaimBank, sameCue } from "./claims.ts";
import type { AnnotatedClip, CuePrior } from "./cue-prior.ts";

/** A cue is absent where nothing of the clip is this like it: below "the same cue", since what is half alike may be half there. */
export const absentCue = 0.5;

export interface CueProbe {
  readonly modality: "video" | "audio";
  /** Of the clip, or of the bank. */
  readonly cue: Cue;
  readonly expected: "yes" | "no";
}

export interface ProbeSources {
  readonly bank: ClaimBank;
  readonly prior: CuePrior;
  readonly embedder: Embedder;
  /** Annotations name every cue, so that a modality without any has none; else nobody may have looked at it, and nothing is asked of it. */
  readonly areComplete: boolean;
}

/** A cue, its place in the bank (-1: none), and how likely it is to be asked for. */
interface Weighed {
  readonly cue: Cue;
  readonly bank: number;
  readonly weight: number;
}

/** What can be asked of a clip about a modality. */
interface Askable {
  readonly clip: AnnotatedClip;
  readonly present: readonly Weighed[];
  readonly absent: readonly Weighed[];
}

/**
 * A question about every clip, in order; null where there is nothing to ask. A modality is drawn for each, and what it lacks, by p. Then two
 * and two: the clip whose emotion suggests most what it lacks is asked that, and one that shares a label and has it is asked the same;
 * where there is none, another is asked for a cue that it has, drawn by 1 - p.
 */
export async function drawCueProbes(
  clips: readonly AnnotatedClip[],
  sources: ProbeSources,
  random: Random,
): Promise<(CueProbe | null)[]> {
  const modalities = clips.map((): "video" | "audio" => (random.next() < 0.5 ? "video" : "audio"));
  const probes = new Map<AnnotatedClip, CueProbe>();
  for (const modality of ["video", "audio"] as const) {
    const own = clips.filter((_, i) => modalities[i] === modality);
    const left = (await askables(own, modality, sources))
      .map((askable) => ({ ...askable, lacks: drawn(askable.absent, random) }))
      .sort((a, b) => (b.lacks?.weight ?? 0) - (a.lacks?.weight ?? 0));
    const ask = ({ clip }: Askable, found: Weighed | null, expected: CueProbe["expected"]) => {
      if (found !== null) probes.set(clip, { modality, cue: found.cue, expected });
    };
    while (left.length > 0) {
      const first = left.shift()!;
      const { lacks } = first;
      if (lacks === null) {
        ask(first, drawn(first.present, random), "yes");
        continue;
      }
      ask(first, lacks, "no");
      const [second] = left.splice(partnerOf(first, lacks.bank, left), 1);
      if (second === undefined) continue;
      const same = second.present.find(({ bank }) => bank === lacks.bank);
      ask(second, same ?? drawn(second.present, random), "yes");
    }
  }
  return clips.map((clip) => probes.get(clip) ?? null);
}

/** The place of the last that shares a label and has the cue, else that shares a label, else of the last; -1: nobody is left. */
function partnerOf({ clip }: Askable, bank: number, left: readonly Askable[]): number {
  const isAlike = (other: Askable) => other.clip.labels.some((label) => clip.labels.includes(label));
  const twin = left.findLastIndex((other) => isAlike(other) && other.present.some((one) => one.bank === bank));
  if (twin >= 0) return twin;
  const alike = left.findLastIndex(isAlike);
  return alike >= 0 ? alike : left.length - 1;
}

/** By weight. */
function drawn(from: readonly Weighed[], random: Random): Weighed | null {
  const weights = from.map(({ weight }) => weight);
  return from[weightedPlace(weights, random.next())] ?? null;
}

async function askables(
  clips: readonly AnnotatedClip[],
  modality: "video" | "audio",
  { bank, prior, embedder, areComplete }: ProbeSources,
): Promise<Askable[]> {
  const places = bank.flatMap(({ kind }, b) => (kind === modality ? [b] : []));
  const texts = [...new Set(clips.flatMap(({ cues }) => cues.map(({ text }) => text)))];
  const rows = async (of: readonly string[]) => matrixRows(await embedder.embed(of, "cue"), embedder.dimension);
  const ofBank = await rows(places.map((b) => bank[b]!.text));
  const cosines = cosinesOfRows(await rows(texts), ofBank, embedder.dimension);
  const rowOf = new Map(texts.map((text, row) => [text, row]));
  const cosine = (text: string, column: number) =>
    bank[places[column]!]!.text === text ? 1 : cosines[rowOf.get(text)! * places.length + column]!;
  return clips.flatMap((clip) => {
    const own = clip.cues.filter(({ kind }) => kind === modality);
    if (own.length === 0 && !areComplete) return [];
    const p = prior(clip);
    const present = own.map((cue) => {
      const best = places.reduce(
        (best, _, column) => (cosine(cue.text, column) > cosine(cue.text, best) ? column : best),
        0,
      );
      const b = places.length > 0 && cosine(cue.text, best) > sameCue ? places[best]! : -1;
      return { cue, bank: b, weight: 1 - p({ bank: b }) };
    });
    const absent = places.flatMap((b, column) => {
      if (clip.cues.some(({ text }) => cosine(text, column) > absentCue)) return [];
      return [{ cue: bank[b]!, bank: b, weight: p({ bank: b }) }];
    });
    return { clip, present, absent };
  });
}
