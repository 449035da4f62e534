// Asking a model about a clip as it is and as somebody changed it, and comparing an answer under many changes. Everything runs in the
// models' own processes; who goes away is not computed for any more.
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { userTurn, wordingOf } from "../../../corpus/wording.ts";
import type { Sample } from "../../../data/sample.ts";
import { OppoError } from "../../../error.ts";
import type { LocalMask } from "../../../media/local-mask.ts";
import { HttpError } from "../../http/http-error.ts";
import type { Engine } from "../../model/engine.ts";
import type {
  Answer,
  ClipChange,
  Job,
  KeyedFile,
  MediaFile,
  ModelLook,
  SamplingRules,
  Turn,
} from "../../model/protocol.ts";
import type { ChangeView, ModelEntry, XrayAnswer, XrayComparison, XrayQuestion } from "../api.ts";
import type { ClipFile } from "../rollouts/sample-index.ts";
import type { Studio } from "../studio.ts";
import { DroppedClips } from "./dropped-clips.ts";
import { Engines } from "./engines.ts";
import { findModels, type ModelPlace } from "./find-models.ts";
import { ShownClips } from "./shown-clips.ts";
import type { TakeApart } from "./take-apart.ts";

const maxNewTokens = 512;
/** A comparison is cut into jobs of so many, so that an answer that is asked for meanwhile waits for one of them at most. */
const changesPerJob = 4;
const rules: SamplingRules = {
  ...{ adapter: null, numSamples: 1, temperature: 0, logprobTemperature: 1 },
  ...{ topP: null, topK: null, repetitionPenalty: null },
};

export interface Listeners {
  readonly onDelta: (text: string) => void;
  readonly onCompared: (change: number, nats: readonly number[]) => void;
}

export class Xray {
  readonly #studio: Studio;
  readonly #engines: Engines;
  readonly dropped = new DroppedClips();
  readonly #shown = new ShownClips();
  #takeApart: Promise<TakeApart> | null = null;
  #numJobs = 0;

  constructor(studio: Studio, log: (line: string) => void) {
    this.#studio = studio;
    this.#engines = new Engines(log);
  }

  models(): ModelEntry[] {
    return findModels(this.#studio.places()).map(({ id, name }) => ({ id, name }));
  }

  /** Greedily, told as it comes. @throws HttpError, OppoError */
  async ask(question: XrayQuestion, listeners: Pick<Listeners, "onDelta">, gone: AbortSignal): Promise<XrayAnswer> {
    const { engine, sample, file, turns } = await this.#prepare(question);
    const change = await this.#change(question.run, question.change);
    const job = this.#job(turns, changed(file, change));
    const [answer] = await run(engine, job, { ...listeners, onCompared: () => undefined }, gone);
    // Embedders bring clients of servers along, which a page of curves must not wait for.
    this.#takeApart ??= import("./take-apart.ts").then((room) => new room.TakeApart());
    return (await this.#takeApart).answer(sample, answer!);
  }

  /** Tells every change's divergences. @throws HttpError, OppoError */
  async compare(question: XrayComparison, listeners: Pick<Listeners, "onCompared">, gone: AbortSignal): Promise<void> {
    const { engine, file, turns } = await this.#prepare(question);
    const changes: ClipChange[] = [];
    for (const change of question.changes) changes.push(await this.#change(question.run, change));
    // A change without another sound keeps the one that the clip itself is shown with.
    const own = file.change?.sound ?? null;
    const whole = changes.map((change) => ({ ...change, sound: change.sound ?? own }));
    for (let start = 0; start < whole.length; start += changesPerJob) {
      const comparison = { completion: question.completion, changes: whole.slice(start, start + changesPerJob) };
      const onCompared = (change: number, nats: readonly number[]) => listeners.onCompared(start + change, nats);
      await run(engine, { ...this.#job(turns, file), comparison }, { onDelta: () => undefined, onCompared }, gone);
    }
  }

  /** What the model gets of a changed clip, as a file that a browser plays. @throws HttpError, OppoError */
  async shown(question: XrayQuestion, gone: AbortSignal): Promise<ClipFile> {
    const { look, file } = await this.#prepare(question);
    const change = await this.#change(question.run, question.change);
    const whole = { ...change, sound: change.sound ?? file.change?.sound ?? null };
    try {
      return await this.#shown.get({ file, change: whole, look }, gone);
    } catch (error) {
      // Of the file, or of who asked: no fault of the server.
      if (error instanceof OppoError) throw new HttpError(400, error.code, error.message, { cause: error });
      throw error;
    }
  }

  close(): void {
    this.#engines.close();
    this.dropped.close();
    this.#shown.close();
  }

  async #prepare({ model, run: runId, sample: id }: Pick<XrayQuestion, "model" | "run" | "sample">): Promise<Prepared> {
    const place = this.#model(model);
    const sample = await this.#sample(runId, id);
    const { path, type } = this.dropped.find(id) ?? (await this.#studio.clip(runId, id, "media"));
    if (!type.startsWith("video/")) {
      throw new HttpError(400, "ERR_STUDIO_CLIP", `clip: expected a video, got ${type}. Choose another clip.`);
    }
    const sound = sample.audio === undefined ? null : keyed((await this.#studio.clip(runId, id, "sound")).path);
    const file: VideoFile = { ...video(path), ...(sound === null ? {} : { change: { sound, masks: [] } }) };
    const { engine, look } = await this.#engines.get(place);
    return { engine, look, sample, file, turns: turnsOf(place, sample) };
  }

  /** @throws HttpError ERR_STUDIO_MODEL (404) */
  #model(id: string): ModelPlace {
    const found = findModels(this.#studio.places()).find((one) => one.id === id);
    if (found !== undefined) return found;
    throw new HttpError(
      404,
      "ERR_STUDIO_MODEL",
      "model: expected one of the list, got one that is not there. Choose another.",
    );
  }

  async #change(runId: string, { swap, masks }: ChangeView): Promise<ClipChange> {
    const sound = swap === null ? null : await this.#soundOf(runId, swap);
    return { sound, masks: masks as readonly LocalMask[] };
  }

  /** One of the run's data, or what stands for a dropped clip: nothing is known of that. */
  async #sample(runId: string, id: string): Promise<Sample> {
    if (this.dropped.find(id) === null) return this.#studio.sample(runId, id);
    return { id, media: id, subtitle: "", labels: [], reasoning: "", cues: [] };
  }

  /** A sample's sound: its own file, or that of its video. */
  async #soundOf(runId: string, id: string): Promise<KeyedFile> {
    const dropped = this.dropped.find(id);
    if (dropped !== null) return keyed(dropped.path);
    const sample = await this.#studio.sample(runId, id);
    return keyed((await this.#studio.clip(runId, id, sample.audio === undefined ? "media" : "sound")).path);
  }

  #job(turns: readonly Turn[], file: MediaFile): Job {
    return {
      ...{ id: ++this.#numJobs, turns, media: [file], rules, maxNewTokens, seeds: [0], stop: [] },
      ...{ numLikeliest: null, tellsStop: false, isStreamed: true },
    };
  }
}

type VideoFile = Extract<MediaFile, { kind: "video" }>;

interface Prepared {
  readonly engine: Engine;
  readonly look: ModelLook;
  readonly sample: Sample;
  readonly file: VideoFile;
  readonly turns: readonly Turn[];
}

function keyed(path: string): KeyedFile {
  const { size, mtimeMs } = statSync(path);
  return { key: `${path} ${size} ${mtimeMs}`, path };
}

function video(path: string): VideoFile {
  const file = keyed(path);
  return { ...file, kind: "video", withSound: true, keptAs: file.key };
}

/** The same file under another name where something about it is changed: what towers made of one is not the other's. */
function changed(file: VideoFile, { sound, masks }: ClipChange): VideoFile {
  const change = { sound: sound ?? file.change?.sound ?? null, masks };
  if (change.sound === null && masks.length === 0) return file;
  const key = createHash("sha256")
    .update(JSON.stringify([file.key, change]))
    .digest("hex");
  return { ...file, key, change };
}

/** As the model was trained to be asked. */
function turnsOf({ path }: ModelPlace, sample: Sample): Turn[] {
  const { wording } = wordingOf([path]);
  const { system, question } = wording;
  const text = userTurn(wording, sample.subtitle, question);
  return [
    ...(system === null ? [] : [{ role: "system" as const, parts: [{ type: "text" as const, text: system }] }]),
    {
      role: "user",
      parts: [
        { type: "media", media: 0 },
        { type: "text", text },
      ],
    },
  ];
}

/** One job in an engine; cancelled when its client is gone. */
function run(
  engine: Engine,
  job: Job,
  { onDelta, onCompared }: Listeners,
  gone: AbortSignal,
): Promise<readonly Answer[]> {
  return new Promise((resolve, reject) => {
    if (gone.aborted) return reject(goneError());
    const leave = () => {
      engine.cancel(job.id);
      reject(goneError());
    };
    gone.addEventListener("abort", leave);
    const ended = () => gone.removeEventListener("abort", leave);
    engine.submit(job, {
      onBegin: () => undefined,
      onDelta: ({ text }) => onDelta(text),
      onCompared,
      onDone: (answers) => {
        ended();
        resolve(answers);
      },
      onError: (error) => {
        ended();
        reject(error);
      },
    });
  });
}

export function goneError(): OppoError {
  return new OppoError("ERR_INTERRUPTED", "x-ray: expected somebody to wait for it, got nobody.");
}
