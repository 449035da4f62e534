// What the studio knows: which runs there are and what was made of their logs. Nothing here grows with time: lists are found anew, and
// of what is dear only the few runs are kept that were looked at last.

import { join } from "node:path";
import { defaultDelta } from "../../corpus/settings.ts";
import type { Sample } from "../../data/sample.ts";
import { HttpError } from "../http/http-error.ts";
import type {
  GroupDetail,
  GroupPage,
  RunDetail,
  RunList,
  RunSummary,
  SampleList,
  SampleView,
  SeriesAnswer,
} from "./api.ts";
import { LatestUsed } from "./logs/latest-used.ts";
import { statRegular } from "./logs/safe-read.ts";
import { type Query, RolloutIndex } from "./rollouts/rollout-index.ts";
import { type ClipFile, dataFileOf, SampleIndex } from "./rollouts/sample-index.ts";
import { RunCurves } from "./runs/curves.ts";
import { type FoundRuns, findRuns, type RunPlace } from "./runs/find-runs.ts";
import { finite, flatten, logNames, readFacts, readSettings, readWarnings, summarize } from "./runs/run-facts.ts";

const keptCurves = 24;
const keptIndices = 4;
const keptSamples = 3;
/** Looking for runs takes at most this share of the time, and is at most so late. */
const scanShare = 0.05;
const maxScanPause = 5000;
const maxOthers = 2000;
/** Runs that the page draws where nobody chose. */
const shownAtFirst = 3;

export class Studio {
  readonly #roots: readonly string[];
  readonly #media: readonly string[];
  readonly #hasControl: boolean;
  readonly #curves = new LatestUsed<RunCurves>(keptCurves);
  readonly #indices = new LatestUsed<RolloutIndex>(keptIndices);
  readonly #samples = new LatestUsed<SampleIndex>(keptSamples);
  readonly #settings = new LatestUsed<Readonly<Record<string, unknown>>>(keptCurves);
  #found: FoundRuns = { places: [], isCut: false };
  #nextScanAt = Number.NEGATIVE_INFINITY;
  /** Run -> its summary and what it was made of. */
  #summaries = new Map<string, { readonly stamp: string; readonly summary: RunSummary }>();

  /** @param media folders that clips may lie in beside their data's own, behind links */
  constructor(roots: readonly string[], media: readonly string[], hasControl: boolean) {
    this.#roots = roots;
    this.#media = [...roots, ...media];
    this.#hasControl = hasControl;
  }

  /** The folders of runs; looked for again as often as it is cheap. */
  places(): readonly RunPlace[] {
    const start = performance.now();
    if (start > this.#nextScanAt) {
      this.#found = findRuns(this.#roots);
      const end = performance.now();
      this.#nextScanAt = end + Math.min(maxScanPause, (end - start) / scanShare);
    }
    return this.#found.places;
  }

  /** The newest first. */
  list(): RunList {
    const places = this.places();
    const summaries = new Map<string, { readonly stamp: string; readonly summary: RunSummary }>();
    for (const place of places) summaries.set(place.id, this.#summarized(place));
    this.#summaries = summaries;
    const runs = [...summaries.values()].map(({ summary }) => summary);
    runs.sort((a, b) => b.changedAt - a.changedAt || (a.name < b.name ? -1 : 1));
    return { runs, isCut: this.#found.isCut, hasControl: this.#hasControl };
  }

  /** Reads what a page will ask for first: it comes a moment after the command has printed its link. */
  async readAhead(): Promise<void> {
    const { runs } = this.list();
    const running = runs.filter(({ state }) => state === "running");
    const first = running.length > 0 ? running : runs.filter(({ numSteps }) => numSteps !== null).slice(0, 1);
    for (const { path } of first.slice(0, shownAtFirst)) await this.#curvesOf({ path }).catchUp();
  }

  /** @throws HttpError ERR_STUDIO_RUN (404) */
  place(id: string): RunPlace {
    const place = this.places().find((one) => one.id === id);
    if (place !== undefined && statRegular(join(place.path, "metrics.jsonl")) !== null) return place;
    if (place !== undefined && findRuns([place.path]).places.length > 0) return place;
    throw new HttpError(
      404,
      "ERR_STUDIO_RUN",
      "run: expected one of the list, got one that is not there any more. Go back to the list.",
    );
  }

  async detail(id: string): Promise<RunDetail> {
    const place = this.place(id);
    const curves = this.#curvesOf(place);
    await curves.catchUp();
    const { values } = readSettings(place.path);
    return {
      summary: this.#summarized(place).summary,
      settings: flatten(values),
      facts: flatten(readFacts(place.path)),
      warnings: readWarnings(place.path),
      metrics: curves.names(),
      logs: curves.logs(),
    };
  }

  async series(id: string, names: readonly string[], generation: string, from: number): Promise<SeriesAnswer> {
    const curves = this.#curvesOf(this.place(id));
    await curves.catchUp();
    return curves.answer(names, names[0]?.startsWith("eval/") ?? false, generation, from);
  }

  async groups(id: string, query: Query, offset: number, limit: number): Promise<GroupPage> {
    const index = this.#indexOf(this.place(id));
    await index.catchUp();
    const all = index.list(query);
    return {
      total: all.length,
      numGroups: index.numGroups,
      numRollouts: index.numRollouts,
      offset,
      groups: all.slice(offset, offset + limit),
      log: index.log(),
      isWhole: index.isWhole,
    };
  }

  /** @throws HttpError ERR_STUDIO_GROUP (404) */
  async group(id: string, line: number): Promise<GroupDetail> {
    const place = this.place(id);
    const index = this.#indexOf(place);
    await index.catchUp();
    const found = index.find(line);
    const group = found === null ? "there is no such line" : index.read(found);
    if (found === null || typeof group === "string") {
      throw new HttpError(
        404,
        "ERR_STUDIO_GROUP",
        `rollouts.jsonl:${line + 1}: expected a group of rollouts: ${group}. The run may have been begun anew.`,
      );
    }
    const { offset: _, length: __, ...entry } = found;
    const sample = await this.#sampleView(place, group.sample);
    return {
      entry,
      rollouts: group.rollouts,
      cues: group.cues ?? sample.view?.cues ?? [],
      asked: group.asked,
      sample: sample.view,
      sampleProblem: sample.problem,
      others: index
        .of(group.sample)
        .slice(-maxOthers)
        .map(({ line, step, mean }) => ({ line, step, mean })),
    };
  }

  /** Names of the samples of a run's data that have these letters in them. */
  async samples(id: string, search: string, limit: number): Promise<SampleList> {
    return (await this.#samplesOf(this.place(id))?.names(search, limit)) ?? { total: 0, ids: [] };
  }

  /** @throws HttpError ERR_STUDIO_CLIP (404) */
  async sample(id: string, sampleId: string): Promise<Sample> {
    const sample = await this.#samplesOf(this.place(id))?.find(sampleId);
    if (sample !== null && sample !== undefined) return sample;
    throw new HttpError(
      404,
      "ERR_STUDIO_CLIP",
      "clip: expected one that the run's data name, got another. Choose one of the list.",
    );
  }

  /** A clip's file. @throws HttpError ERR_STUDIO_CLIP (404) */
  async clip(id: string, sampleId: string, part: "media" | "sound"): Promise<ClipFile> {
    const opened = this.#samplesOf(this.place(id));
    const sample = (await opened?.find(sampleId)) ?? null;
    const file = sample === null ? "no such sample in the run's data" : opened!.file(sample, part, this.#media);
    if (file !== null && typeof file === "object") return file;
    throw new HttpError(404, "ERR_STUDIO_CLIP", `clip: expected one that the run's data name, got none: ${file}`);
  }

  async #sampleView(place: RunPlace, id: string): Promise<{ view: SampleView | null; problem: string | null }> {
    const opened = this.#samplesOf(place);
    if (opened === null) return { view: null, problem: "The run's settings name no data file that is there." };
    const sample = await opened.find(id);
    if (sample === null) return { view: null, problem: "The run's data has no such sample." };
    const [media, sound] = (["media", "sound"] as const).map((part) => opened.file(sample, part, this.#media));
    const address = (part: string) => `/api/runs/${place.id}/clips/${encodeURIComponent(id)}/${part}`;
    const { subtitle, labels, reasoning, cues } = sample;
    const kind =
      typeof media === "object" && media !== null ? (media.type.split("/")[0] as "video" | "audio" | "image") : null;
    return {
      view: {
        ...{ id, subtitle, labels, reasoning, cues },
        media: kind === null ? null : { path: address("media"), kind },
        sound: typeof sound === "object" && sound !== null ? { path: address("sound") } : null,
      },
      problem: typeof media === "string" ? media : typeof sound === "string" ? sound : null,
    };
  }

  #summarized(place: RunPlace): { readonly stamp: string; readonly summary: RunSummary } {
    const stamp = stampOf(place);
    const known = this.#summaries.get(place.id);
    // A process may end without a trace in the folder.
    return known?.stamp === stamp && known.summary.state !== "running" ? known : { stamp, summary: summarize(place) };
  }

  #curvesOf({ path }: Pick<RunPlace, "path">): RunCurves {
    return this.#curves.get(path, () => new RunCurves(path));
  }

  #indexOf({ path }: RunPlace): RolloutIndex {
    return this.#indices.get(path, () => {
      const { reward } = readSettings(path).values as { reward?: { similarityThreshold?: unknown } };
      return new RolloutIndex(path, finite(reward?.similarityThreshold) ?? defaultDelta);
    });
  }

  #samplesOf({ path, root }: RunPlace): SampleIndex | null {
    const stats = statRegular(join(path, "config.yaml"));
    const values = this.#settings.get(`${path} ${stats?.size} ${stats?.mtimeMs}`, () => readSettings(path).values);
    const file = dataFileOf(path, root, values);
    return file === null ? null : this.#samples.get(file, () => new SampleIndex(file, values.fields));
  }
}

/** Sizes and times of the files that a summary is made of, and whether the process that holds the run is there. */
export function stampOf({ path }: RunPlace): string {
  const files = [...logNames, "config.yaml", "run.json", "run.lock", "results.json"];
  return files
    .map((name) => {
      const stats = statRegular(join(path, name));
      return stats === null ? "-" : `${stats.size}@${stats.mtimeMs}`;
    })
    .join(" ");
}
