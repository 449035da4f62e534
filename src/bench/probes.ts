// The questions of MEP-Bench's faithfulness part. A masked probe asks for a cue that the clip has while its modality is
// hidden (the right answer is "no"); on the same clip, unmasked, a present control asks for that cue ("yes") and an absent
// control for a cue of the same kind that is not there ("no"), so that neither "no" nor "yes" to everything scores. An absent
// cue drawn from all is mostly one that nothing suggests; the adversarial control is one that the clip's emotion suggests
// and that is not there: who answers by the emotion says "yes".
import type { Sample } from "../data/sample.ts";
import type { Cue } from "../evidence/cue.ts";
import { probeQuestion } from "../evidence/probe-question.ts";
import { cosineMatrix } from "../evidence/similarity.ts";
import type { Modality } from "../media/clip.ts";
import { weightedPlace } from "../random.ts";
import { deriveSeed } from "../seeds.ts";
import { reasoningSpan } from "../text/answer.ts";
import { splitClauses } from "../text/clauses.ts";
import { seededUniform } from "./bootstrap.ts";
import { type CueBank, cueIndices, ofKind } from "./cue-bank.ts";
import { intactView, maskedView, type Query } from "./respondent.ts";

export const probeKinds = ["masked", "present", "absent", "adversarial"] as const;
export type ProbeKind = (typeof probeKinds)[number];

/** Example: kind "masked", modality "video", cue "a furrowed brow", expected "no". */
export interface Probe {
  readonly kind: ProbeKind;
  readonly modality: Modality;
  readonly sample: Sample;
  readonly cue: Cue;
  readonly expected: "yes" | "no";
}

export interface ProbeOptions {
  /** The paper asks 500 per modality. */
  readonly maxPerModality: number;
  /** How many cues of one clip and modality may be asked for. Every clip is asked once before any is asked twice. */
  readonly maxPerClip: number;
  readonly seed: number;
  /** Whether the other modality suggests the cue (strong audio-visual correlation). Default: every cue of a clip. */
  readonly isTypical?: (sample: Sample, cue: Cue) => boolean;
  /** Whether the clip's emotion suggests a cue that is not there. Left out: there are no adversarial controls. */
  readonly fitsEmotion?: (sample: Sample, cue: Cue) => boolean;
  /**
   * An absent control is this unlike everything that the reference says of the clip: no cosine with a cue of it or with a
   * clause of its reasoning is above.
   */
  readonly absentThreshold: number;
  /** How often each cue of the bank is in the corpus: absent controls are as common as present ones. Default: all alike. */
  readonly counts?: readonly number[];
}

/** One clip's material for probes of one modality. */
interface Askable {
  readonly sample: Sample;
  /** Its own typical cues, in its own words, one per cue of the bank. */
  readonly typical: Cue[];
  /** Bank indices that are not there. */
  readonly absent: number[];
  /** Those of them that its emotion suggests. */
  readonly adversarial: number[];
}

/**
 * Three probes (masked, present, absent) per asked cue, and an adversarial control where the clip has one left. Which cues are
 * asked for is drawn from the seed.
 */
export async function buildProbes(bank: CueBank, samples: readonly Sample[], options: ProbeOptions): Promise<Probe[]> {
  const askables = await askablesOf(bank, samples, options);
  const take = drawing(options.seed);
  // A stream of its own: the other questions of a set are the same with these and without.
  const takeAdversarial = drawing(deriveSeed(options.seed, "adversarial"));
  const common = (index: number) => options.counts?.[index] ?? 1;
  const probes: Probe[] = [];
  for (const modality of ["video", "audio"] as const) {
    let numAsked = 0;
    for (let round = 0; round < options.maxPerClip; round++) {
      for (const { sample, typical, absent, adversarial } of askables[modality]) {
        if (numAsked === options.maxPerModality) break;
        if (typical.length === 0 || absent.length === 0) continue;
        numAsked++;
        const cue = take(typical, () => 1);
        const missing = bank.cues[take(absent, common)]!;
        probes.push({ kind: "masked", modality, sample, cue, expected: "no" });
        probes.push({ kind: "present", modality, sample, cue, expected: "yes" });
        probes.push({ kind: "absent", modality, sample, cue: missing, expected: "no" });
        if (adversarial.length === 0) continue;
        const suggested = bank.cues[takeAdversarial(adversarial, common)]!;
        probes.push({ kind: "adversarial", modality, sample, cue: suggested, expected: "no" });
      }
    }
  }
  return probes;
}

/** Takes a value out of a list, drawn by weight. */
function drawing(seed: number) {
  const uniform = seededUniform(seed);
  return <T>(values: T[], weight: (value: T) => number): T => {
    const place = weightedPlace(values.map(weight), uniform());
    return values.splice(place, 1)[0]!;
  };
}

async function askablesOf(
  bank: CueBank,
  samples: readonly Sample[],
  options: ProbeOptions,
): Promise<Record<Modality, Askable[]>> {
  const isTypical = options.isTypical ?? (() => true);
  const fitsEmotion = options.fitsEmotion ?? (() => false);
  const result: Record<Modality, Askable[]> = { video: [], audio: [] };
  const indices = await cueIndices(bank, samples);
  const alike = await similarCues(bank, samples, options.absentThreshold);
  for (const [i, sample] of samples.entries()) {
    const worded = new Map<number, Cue>();
    for (const [c, index] of indices[i]!.entries()) {
      if (index >= 0 && !worded.has(index)) worded.set(index, sample.cues[c]!);
    }
    for (const modality of ["video", "audio"] as const) {
      const own = ofKind(bank, [...worded.keys()], modality).sort((a, b) => a - b);
      const typical = own.map((index) => worded.get(index)!).filter((cue) => isTypical(sample, cue));
      const others = ofKind(bank, [...bank.cues.keys()], modality).filter((index) => !worded.has(index));
      const absent = others.filter((index) => !alike[i]!.has(index));
      const adversarial = absent.filter((index) => fitsEmotion(sample, bank.cues[index]!));
      result[modality].push({ sample, typical, absent, adversarial });
    }
  }
  return result;
}

/** Per sample, what its reference may mean in other words: bank indices close to a cue or to a clause of its reasoning. */
async function similarCues(bank: CueBank, samples: readonly Sample[], threshold: number): Promise<Set<number>[]> {
  const alike = samples.map(() => new Set<number>());
  const add = async (texts: readonly (readonly string[])[]) => {
    const distinct = [...new Set(texts.flat())];
    const cosines = cosineMatrix(await bank.embedder.embed(distinct), bank.vectors, bank.embedder.dimension);
    const numCues = bank.cues.length;
    const near = new Map(
      distinct.map((text, i) => {
        const row = cosines.subarray(i * numCues, (i + 1) * numCues);
        return [text, [...row.keys()].filter((index) => row[index]! > threshold)];
      }),
    );
    for (const [i, own] of texts.entries()) {
      for (const text of own) for (const index of near.get(text)!) alike[i]!.add(index);
    }
  };
  const cueTexts = samples.map(({ cues }) => cues.map(({ text }) => text));
  const clauses = samples.map(({ reasoning }) =>
    splitClauses([reasoning], reasoningSpan(reasoning)).map(({ text }) => text),
  );
  await add(cueTexts);
  await add(clauses);
  return alike;
}

export function probeQuery(probe: Probe): Query {
  const view = probe.kind === "masked" ? maskedView(probe.sample, probe.modality) : intactView(probe.sample);
  return { prompt: probeQuestion(probe.modality, probe.cue.text), view };
}
