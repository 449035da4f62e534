// The corpora of the studio and their reviews: lists, pages in the order of doubt, one sample whole, decisions, and what comes of them.
import { realpathSync } from "node:fs";
import { basename, dirname } from "node:path";
import { reviewedRow } from "../../../corpus/review/reviewed-row.ts";
import { readLines } from "../../../data/lines.ts";
import type { Sample } from "../../../data/sample.ts";
import { fieldError, HttpError } from "../../http/http-error.ts";
import type { SampleView } from "../api.ts";
import { LatestUsed } from "../logs/latest-used.ts";
import { type ClipFile, clipFile, dataFileOf } from "../rollouts/sample-index.ts";
import { readSettings } from "../runs/run-facts.ts";
import type { Studio } from "../studio.ts";
import { CorpusIndex, type CorpusRow, type IndexedSample, parseRow } from "./corpus-index.ts";
import type {
  CorpusDetail,
  CorpusList,
  CorpusSummary,
  DecisionAnswer,
  DecisionRequest,
  ReviewedSampleView,
  SampleEntry,
  SamplePage,
} from "./data-api.ts";
import { type CorpusPlace, corporaAt, isCorpus } from "./find-corpora.ts";
import { ReviewJournal } from "./review-journal.ts";
import { type OrderedSamples, type OrderQuery, orderSamples, stateOf } from "./sample-order.ts";

export interface CorporaOptions {
  /** Files of samples and MEP sets that were named. */
  readonly paths: readonly string[];
  /** Folder of the journals; null: beside each corpus. */
  readonly annotations: string | null;
  /** Real paths of folders that clips may lie in besides their corpus' own. */
  readonly media: readonly string[];
  readonly studio: Studio;
}

interface Opened {
  readonly place: CorpusPlace;
  readonly index: CorpusIndex;
  readonly journal: ReviewJournal;
  ordered: { readonly key: string; readonly answer: OrderedSamples } | null;
}

const keptCorpora = 3;
/** Runs are asked for their data so often, and so many of them. */
const searchMilliseconds = 10_000;
const maxRuns = 200;
/** A page of a large corpus comes before all of it was read, and says so. */
const readMilliseconds = 700;

export class Corpora {
  readonly #options: CorporaOptions;
  readonly #opened = new LatestUsed<Opened>(keptCorpora);
  /** Journals that somebody looks at: corpus -> journal. */
  readonly #watched = new Map<string, ReviewJournal>();
  #places: ReadonlyMap<string, CorpusPlace> = new Map();
  #nextSearchAt = Number.NEGATIVE_INFINITY;

  constructor(options: CorporaOptions) {
    this.#options = options;
  }

  list(): CorpusList {
    return { corpora: [...this.#found().values()].map(summaryOf) };
  }

  /** @param pair two annotators whose agreement is asked for */
  async detail(id: string, pair: readonly [string, string] | null): Promise<CorpusDetail> {
    const { place, index, journal } = await this.#open(id, readMilliseconds);
    return {
      summary: summaryOf(place),
      numSamples: index.samples().length,
      numCues: index.numCues,
      corpus: index.log(),
      journal: journal.log(),
      annotators: journal.reviews.annotators(),
      agreement: pair === null ? null : journal.reviews.agreement(...pair),
      isWhole: index.isWhole,
    };
  }

  /** @param query its `at` is null for the order as of now */
  async page(
    id: string,
    { at: asked, ...query }: Omit<OrderQuery, "at"> & { readonly at: number | null },
    offset: number,
    limit: number,
  ): Promise<SamplePage> {
    const opened = await this.#open(id, readMilliseconds);
    const { index, journal } = opened;
    const at = Math.min(asked ?? journal.reviews.total, journal.reviews.total);
    const key = JSON.stringify([query, at, index.stamp, journal.generation]);
    if (opened.ordered?.key !== key)
      opened.ordered = { key, answer: orderSamples(index.samples(), journal.reviews, { ...query, at }) };
    const { samples, counts } = opened.ordered.answer;
    const entries = samples.slice(offset, offset + limit).map((sample) => {
      const row = index.read(sample);
      return this.#entry(opened, sample, query.by, row === null ? null : this.#media(opened, row.sample));
    });
    return { total: samples.length, offset, at, counts, entries, isWhole: index.isWhole };
  }

  /** @throws HttpError ERR_STUDIO_CORPUS (404) */
  async sample(id: string, sampleId: string, by: string): Promise<ReviewedSampleView> {
    const opened = await this.#open(id);
    const { indexed, row } = this.#read(opened, sampleId);
    const { sample, confidences } = row;
    const file = this.#file(opened, sample, "media");
    const sound = this.#file(opened, sample, "sound");
    const media = this.#media(opened, sample);
    const { subtitle, labels, reasoning, cues } = sample;
    return {
      entry: this.#entry(opened, indexed, by, media),
      view: {
        ...{ id: sampleId, subtitle, labels, reasoning, cues, media },
        sound: isFile(sound) ? { path: addressOf(id, sampleId, "sound") } : null,
      },
      total: opened.journal.reviews.total,
      problem: [file, sound].find((one) => typeof one === "string") ?? null,
      cues: opened.journal.reviews.judged(sampleId, cues).map((judged) => {
        const at = cues.findIndex(({ kind, text }) => kind === judged.cue.kind && text === judged.cue.text);
        return { ...judged, confidence: confidences[at] ?? null };
      }),
    };
  }

  /** @throws HttpError ERR_STUDIO_CLIP, ERR_STUDIO_CORPUS (404) */
  async clip(id: string, sampleId: string, part: "media" | "sound"): Promise<ClipFile> {
    const opened = await this.#open(id);
    const file = this.#file(opened, this.#read(opened, sampleId).row.sample, part);
    if (isFile(file)) return file;
    throw new HttpError(404, "ERR_STUDIO_CLIP", `clip: expected one that the corpus names, got none: ${file ?? part}`);
  }

  /** On the disk when it is done. @throws HttpError ERR_STUDIO_CORPUS (404), ERR_REQUEST_FIELD (400), ERR_STUDIO_ANNOTATIONS (503) */
  async decide(id: string, request: DecisionRequest, now: Date): Promise<DecisionAnswer> {
    const { index, journal } = await this.#open(id);
    if (request.act !== "undo" && (request.sample === undefined || index.get(request.sample) === null))
      throw fieldError("sample", "one of the corpus", "another", "Take it from the list.");
    return journal.take(request, now);
  }

  /** Name of the file, and its lines: rows that nobody decided about as they stand. @param by null: everybody's decisions */
  async export(
    id: string,
    by: string | null,
  ): Promise<{ readonly name: string; readonly lines: AsyncGenerator<string> }> {
    const { place, index, journal } = await this.#open(id);
    async function* lines(): AsyncGenerator<string> {
      const seen = new Set<string>();
      for await (const { text, problem } of readLines(place.path)) {
        const parsed = problem === null && text.trim() !== "" ? parseRow(text, index.fields) : { reason: "" };
        if ("reason" in parsed || seen.has(parsed.sample.id)) continue;
        const { row, sample } = parsed;
        seen.add(sample.id);
        const isDecided = journal.reviews.standing(sample.id).some((decision) => by === null || decision.by === by);
        const { fields } = index;
        yield isDecided
          ? `${JSON.stringify(reviewedRow({ row, id: sample.id, cues: sample.cues }, journal.reviews, { by, fields }))}\n`
          : `${text}\n`;
      }
    }
    return { name: basename(place.path).replace(/\.jsonl$/i, ".reviewed.jsonl"), lines: lines() };
  }

  /** Corpora whose journals somebody added to since this was asked last. */
  changed(): string[] {
    return [...this.#watched].filter(([, journal]) => journal.hasChanged()).map(([id]) => id);
  }

  #found(): ReadonlyMap<string, CorpusPlace> {
    const now = performance.now();
    if (now > this.#nextSearchAt) {
      const { paths, annotations, studio } = this.#options;
      const places = paths.filter(isCorpus).flatMap((path) => corporaAt(path, annotations));
      for (const { path, root } of studio.places().slice(0, maxRuns)) {
        const { values } = readSettings(path);
        const file = dataFileOf(path, root, values);
        if (file !== null && isCorpus(file)) places.push(...corporaAt(file, annotations, values.fields));
      }
      // What was named comes first and stays.
      this.#places = new Map(places.reverse().map((place) => [place.id, place] as const));
      this.#places = new Map([...this.#places].reverse());
      this.#nextSearchAt = now + searchMilliseconds;
    }
    return this.#places;
  }

  /** @param milliseconds of reading that are waited for; left out: until all is read */
  async #open(id: string, milliseconds: number | null = null): Promise<Opened> {
    const place = this.#found().get(id);
    if (place === undefined) {
      const said = "corpus: expected one of the list, got one that is not there any more. Go back to the list.";
      throw new HttpError(404, "ERR_STUDIO_CORPUS", said);
    }
    const opened = this.#opened.get(id, () => ({
      place,
      index: new CorpusIndex(place.path, basename(place.path), place.fields),
      journal: new ReviewJournal(place.journal),
      ordered: null,
    }));
    this.#watched.delete(id);
    this.#watched.set(id, opened.journal);
    if (this.#watched.size > keptCorpora) this.#watched.delete(this.#watched.keys().next().value!);
    await opened.journal.catchUp();
    if (milliseconds === null) await opened.index.catchUp();
    else await within(opened.index.catchUp(), milliseconds);
    return opened;
  }

  #read({ index }: Opened, sampleId: string): { readonly indexed: IndexedSample; readonly row: CorpusRow } {
    const indexed = index.get(sampleId);
    const row = indexed === null ? null : index.read(indexed);
    if (indexed !== null && row !== null) return { indexed, row };
    const said = "sample: expected one of the corpus, got one that is not there any more. Go back to the gallery.";
    throw new HttpError(404, "ERR_STUDIO_CORPUS", said);
  }

  #entry({ journal }: Opened, sample: IndexedSample, by: string, media: SampleView["media"]): SampleEntry {
    const { reviews } = journal;
    const { id, cues, confidence } = sample;
    const numOpen = reviews.numOpen(id, cues, by);
    return { id, numCues: cues.size, numOpen, state: stateOf(sample, reviews, by, reviews.total), confidence, media };
  }

  #media(opened: Opened, sample: Sample): SampleView["media"] {
    const file = this.#file(opened, sample, "media");
    if (!isFile(file)) return null;
    const kind = file.type.split("/")[0] as "video" | "audio" | "image";
    return { path: addressOf(opened.place.id, sample.id, "media"), kind };
  }

  #file({ place }: Opened, sample: Sample, part: "media" | "sound"): ClipFile | string | null {
    const own = realpathSync(dirname(place.path));
    return clipFile(place.mediaRoot, sample, part, [own, ...this.#options.media]);
  }
}

/** Waits for the work, or so long; it goes on then. */
async function within(work: Promise<void>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

function isFile(file: ClipFile | string | null): file is ClipFile {
  return typeof file === "object" && file !== null;
}

function addressOf(corpus: string, sample: string, part: "media" | "sound"): string {
  return `/api/corpora/${corpus}/clips/${encodeURIComponent(sample)}/${part}`;
}

function summaryOf({ id, name, path, kind, journal }: CorpusPlace): CorpusSummary {
  return { id, name, path, kind, journal };
}
