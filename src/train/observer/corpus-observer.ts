// The observer of any annotated corpus: learnt from some of its clips, which are read again for every view, so that memory holds
// a batch of them and no more; checked on clips that are not among these; kept in a folder.
import type { CorpusKind } from "../../corpus/corpus-kind.ts";
import type { Sample } from "../../data/sample.ts";
import { OppoError } from "../../error.ts";
import type { Embedder } from "../../evidence/cue.ts";
import type { MediaClip } from "../../media/clip.ts";
import type { OmniModel } from "../../models/omni-model.ts";
import { createRandom, permutation } from "../../random.ts";
import { deriveSeed } from "../../seeds.ts";
import { fitObserver, type ObserverMaterial, type ObserverOptions } from "./fit-observer.ts";
import { type LearnableCues, learnableCues, type VocabularyLimits } from "./learnable-cues.ts";
import type { Observer } from "./observer.ts";
import { devOf } from "./sizes.ts";
import { keptObserver, observerKey } from "./stored-observer.ts";

export interface CorpusObserverOptions extends VocabularyLimits, Omit<ObserverOptions, "attributeOf"> {
  /** Where it is kept. */
  readonly folder: string;
  readonly embedder: Embedder;
  /** Of a corpus that knows its cues; null: they are measured. */
  readonly kind: CorpusKind | null;
  /** Most clips that it learns from and is checked on. */
  readonly clips: number;
  /** More unreadable ones than this share are refused. */
  readonly maxSkippedFraction: number;
  /** At the model's resolution. @throws OppoError for one that cannot be read */
  readonly read: (sample: Sample) => Promise<MediaClip>;
  /** Changes when the clip's files do. */
  readonly stampOf: (sample: Sample) => readonly (string | number)[];
}

export interface CorpusObserver extends Disposable {
  readonly observer: Observer;
  /** As `readingObserver` takes them; null: one half each. */
  readonly floors: Float64Array | null;
  /** What it learnt, what was left out, and how good it is on clips that it has not learnt from. */
  readonly notes: readonly string[];
}

/**
 * @param samples of the corpus; those without video and audio cues are not looked at
 * @throws OppoError ERR_OBSERVER_CUES, ERR_OBSERVER_DATA, ERR_OBSERVER_CHANCE, ERR_OBSERVER_FILE, ERR_TOO_MANY_SKIPPED
 */
export async function openCorpusObserver(
  model: OmniModel,
  samples: readonly Sample[],
  { folder, embedder, kind, read, stampOf, ...options }: CorpusObserverOptions,
): Promise<CorpusObserver> {
  const { seed } = options;
  const drawn = drawSamples(samples, options.clips, seed);
  const material = divide(drawn);
  const { bank, floors, notes } = await vocabulary(material.clips, embedder, kind, options);
  const attributeOf = kind?.attributeOf;
  const fitting: ObserverOptions = { ...options, ...(attributeOf && { attributeOf }) };
  const stamped = mapMaterial(material, (sample) => ({ sample, stamp: stampOf(sample) }));
  const key = observerKey(model, bank, stamped, fitting);
  const observer = await keptObserver(folder, key, bank, fitting, async () => {
    const unreadable = await unreadableOf(drawn, read, options);
    const readable = {
      clips: material.clips.filter(({ id }) => !unreadable.has(id)),
      dev: material.dev.filter(({ id }) => !unreadable.has(id)),
    };
    return fitObserver(
      model,
      bank,
      mapMaterial(readable, (sample) => ({ sample, read: () => read(sample) })),
      fitting,
    );
  });
  return {
    observer,
    floors,
    notes: [...notes, ...reportLines(observer)],
    [Symbol.dispose]: () => observer[Symbol.dispose](),
  };
}

/** Which of them, by the seed alone. */
function drawSamples(samples: readonly Sample[], count: number, seed: number): Sample[] {
  const annotated = samples.filter(({ cues }) => cues.some(({ kind }) => kind !== "emotion"));
  const order = permutation(annotated.length, createRandom(deriveSeed(seed, "observer")));
  return order.slice(0, count).map((i) => annotated[i]!);
}

function divide(drawn: readonly Sample[]): ObserverMaterial<Sample> {
  const isDev = (_: Sample, i: number) => i % devOf === devOf - 1;
  return { clips: drawn.filter((sample, i) => !isDev(sample, i)), dev: drawn.filter(isDev) };
}

function mapMaterial<From, To>({ clips, dev }: ObserverMaterial<From>, to: (one: From) => To): ObserverMaterial<To> {
  return { clips: clips.map(to), dev: dev.map(to) };
}

async function vocabulary(
  clips: readonly Sample[],
  embedder: Embedder,
  kind: CorpusKind | null,
  limits: VocabularyLimits,
): Promise<Omit<LearnableCues, "floors"> & { readonly floors: Float64Array | null }> {
  return kind === null
    ? await learnableCues(clips, embedder, limits)
    : { bank: await kind.bank(embedder), floors: null, notes: [] };
}

/** Ids of what cannot be read: found before anything is encoded. */
async function unreadableOf(
  drawn: readonly Sample[],
  read: CorpusObserverOptions["read"],
  { maxSkippedFraction, onProgress }: Pick<CorpusObserverOptions, "maxSkippedFraction" | "onProgress">,
): Promise<Set<string>> {
  const unreadable = new Set<string>();
  const limit = Math.floor(maxSkippedFraction * drawn.length);
  for (const [i, sample] of drawn.entries()) {
    await onProgress?.(i, drawn.length);
    try {
      await read(sample);
    } catch (error) {
      if (!(error instanceof OppoError)) throw error;
      unreadable.add(sample.id);
      if (unreadable.size <= limit) continue;
      throw new OppoError(
        "ERR_TOO_MANY_SKIPPED",
        `observer: expected at most ${limit} of ${drawn.length} clips to be unreadable, got ${unreadable.size}; the last is ${sample.id}: ${error.message} Repair or remove them, or raise maxSkippedFraction.`,
      );
    }
  }
  return unreadable;
}

/** Example: "observer, video: of 120 answers about clips held out .83 right, .41 bits (+- .05) over their frequency; ..." */
function reportLines({ report, readers }: Observer): string[] {
  return (["video", "audio"] as const).flatMap((modality) => {
    const own = report[modality];
    if (own === undefined) return [];
    const { intact, skill, kinds, temperature } = own;
    const numCues = readers[modality]!.questions.reduce((sum, { cues }) => sum + cues.length, 0);
    const under = Object.entries(kinds).map(([kind, { readable }]) => `${kind} ${share(readable)}`);
    return [
      `observer, ${modality}: ${numCues} cues; clips held out: ${share(intact.accuracy)} of ${intact.numQuestions} answers right, ${skill.bits.toFixed(3)} bits a question over their frequency (standard error ${skill.standardError.toFixed(3)}), calibration off by ${share(intact.calibrationError)}, temperature ${temperature.toFixed(2)}`,
      `observer, ${modality}: cues that it reads: ${share(intact.readable)} of clips as they are; under masks of any dose: ${under.join(", ")}`,
    ];
  });
}

/** Example: "83%"; "-" of nothing. */
function share(value: number): string {
  return Number.isNaN(value) ? "-" : `${Math.round(100 * value)}%`;
}
