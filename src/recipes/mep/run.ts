// `oppo mep run`: one model through a MEP set. What differs between a model of ours and one behind a server is the respondent
// and how an interrupted run goes on; questions, scores and files are the same.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { degradedRespondent, kindText, type MaskedStreams, nextOf } from "../../bench/degraded.ts";
import { type AnswerStyle, verdictReading } from "../../bench/faithfulness.ts";
import { type MepOptions, mepQueries, runMep } from "../../bench/mep.ts";
import { probePrompt } from "../../bench/probe-wording.ts";
import type { Query, Respondent } from "../../bench/respondent.ts";
import type { ClipLibrary } from "../../corpus/clips/clip-library.ts";
import { noticeNotes } from "../../corpus/clips/clip-notices.ts";
import type { MaskedAs } from "../../corpus/clips/local-respondent.ts";
import { decodeSample } from "../../corpus/clips/sample-clip.ts";
import { cueStage } from "../../corpus/cue-stage.ts";
import { comparedAlike } from "../../corpus/mep-set.ts";
import { chooseSetting, type Setting, type SettingOptions } from "../../corpus/setting.ts";
import { plainWording, wordingNote, wordingOf } from "../../corpus/wording.ts";
import type { Sample } from "../../data/sample.ts";
import { openChatClient } from "../../endpoint/chat-client.ts";
import type { EndpointOptions } from "../../endpoint/endpoint-options.ts";
import { numPartners } from "../../media/degrade/degrade.ts";
import type { VideoFile } from "../../media/remux.ts";
import type { LoadOptions } from "../../models/checkpoint/weight-files.ts";
import { loadModel } from "../../models/registry.ts";
import { replaceFile } from "../../run/checkpoint.ts";
import type { Interrupt } from "../../run/interrupt.ts";
import type { Progress } from "../../run/progress.ts";
import { openRunDirectory } from "../../run/run-directory.ts";
import { readVersions } from "../../run/versions.ts";
import { recordedRespondent } from "./answer-log.ts";
import { AnswerWatch, defaultMostInRow } from "./answer-watch.ts";
import { type DecomposeOptions, decomposer, statementsName, unreadNotes } from "./decompose.ts";
import { endpointRespondent, incidentNotes, noIncidents, preflight } from "./endpoint-respondent.ts";
import { locateMedia, type MediaFiles } from "./media-files.ts";
import { mepPage } from "./page.ts";
import type { MepPageData } from "./page-data.ts";
import { answersName, answersText, type MepResults, resultsName, resultsOf, resultsText } from "./results.ts";
import { type MepDirectory, openMepSet, readMepSet } from "./set-directory.ts";
import { type MepWording, mepWording } from "./wording.ts";

/** Where the model is: a directory, or a server, with what to send in every request beside the question. */
export type MepSystem =
  | {
      readonly kind: "local";
      readonly directory: string;
      /** Questions that are decoded together. */
      readonly batchSize: number;
      /** Where and in which numbers it runs. */
      readonly load?: LoadOptions;
    }
  | {
      readonly kind: "endpoint";
      readonly client: EndpointOptions;
      readonly extra: Readonly<Record<string, unknown>> | null;
    };

export interface MepRun {
  readonly set: string;
  readonly system: MepSystem;
  /** Asks for a reasoning; null: what the model was trained with, else the set's. */
  readonly question?: string | null;
  /** As reports call it; null: the directory's or the model's name. */
  readonly name: string | null;
  readonly out: string;
  /** null: where the set says. */
  readonly mediaRoot: string | null;
  /** null: the set's own. */
  readonly embedder: string | null;
  /** Who takes reasonings apart: a language model, as the paper has it, or rules; null: punctuation. */
  readonly decompose: DecomposeOptions | null;
  readonly answerStyle: AnswerStyle;
  readonly masked: MaskedAs;
  /** Of a local model: masks of another kind than black and silent. */
  readonly masks?: MaskedStreams;
  readonly maxNewTokens: number;
  /** So many unreadable answers in a row end the run; 0: none do. Default 50. */
  readonly maxUnreadable?: number;
  /** Clips that a local model may hold at once, in bytes of frames and samples. */
  readonly maxClipBytes: number;
  readonly setting: Omit<SettingOptions, "embedder" | "question">;
  readonly progress: Progress;
  readonly interrupt: Interrupt;
}

export interface MepRunResult {
  readonly out: string;
  readonly results: MepResults;
}

/** Questions under way at once; how many of them are requests is the client's business. */
const defaultConcurrency = 8;
const logName = "answers.partial.jsonl";

/** @throws OppoError ERR_MEP_UNREADABLE, ERR_MEP_SET, ERR_MEP_EMBEDDER, ERR_MEP_MEDIA, ERR_MEP_MODALITY, ERR_RUN_DIFFERS, ERR_RUN_LOCKED */
export async function runMepSet(run: MepRun): Promise<MepRunResult> {
  const { progress, system } = run;
  const directory = await readMepSet(run.set, run.mediaRoot);
  const { setting: made, hash } = directory.manifest;
  const samples = [...directory.congruent, ...directory.conflict];
  const embedder = run.embedder ?? made.embedder.choice;
  const known = system.kind === "local" ? wordingOf([system.directory]) : null;
  const trained = known?.file == null ? null : known;
  using setting = await chooseSetting(samples, {
    ...comparedAlike(run.setting),
    ...{ embedder, wording: trained, onCues: cueStage(progress, run.interrupt) },
    question: run.question ?? (trained === null ? made.question : null),
  });
  if (trained !== null) progress.log(wordingNote(trained, run.question ?? null));
  const set = await openMepSet(directory, setting.embedder);
  const files = await locateMedia(directory);
  const wording = mepWording(setting.question, run.answerStyle, made.kind);
  const { emotion } = setting;
  const settings = settingsOf(run, setting, wording);
  const name = run.name ?? (system.kind === "local" ? modelName(system.directory) : String(settings.model));
  using folder = openRunDirectory(run.out, {
    config: { set: hash, name, ...settings, ...(system.kind === "local" ? fingerprint(system.directory) : {}) },
    versions: readVersions(),
    ...{ kind: "mep" as const, seeds: [] },
    device: system.kind === "local" ? (system.load?.device ?? "cpu") : "server",
  });
  const statementNotes: string[] = [];
  const options: MepOptions = {
    ...set,
    reasoningPrompt: () => wording.question,
    probePrompt: (question) => probePrompt(question, wording.probeEnding),
    emotionScore: emotion.score,
    answerStyle: run.answerStyle,
    ...(run.decompose === null ? {} : { decompose: decomposer(run.decompose, statementNotes, run) }),
  };
  const total = Object.values(mepQueries(options)).reduce((sum, part) => sum + part.length, 0);
  const stage = progress.stage("asking", total);
  const watch = new AnswerWatch({
    style: run.answerStyle,
    reasoningPrompt: wording.question,
    mostInRow: run.maxUnreadable ?? defaultMostInRow,
  });
  let done = 0;
  const onAnswer = (query: Query, text: string): void => {
    watch.look(query, text);
    done++;
    stage.update(Math.min(total, done));
    // What comes then (statements) has a line of its own.
    if (done >= total) stage.finish();
  };
  const context = { run, set: directory, setting, files, total, onAnswer, logFile: join(folder.path, logName) };
  const { result, notes } =
    system.kind === "local" ? await askLocal(system, options, context) : await askEndpoint(system, options, context);
  stage.finish();
  const allNotes = [...unreadNotes(result), ...statementNotes, ...noticeNotes(directory.noticed), ...notes];
  const results = resultsOf({ ...result, model: name }, directory, settings, allNotes);
  await writeAll(folder.path, { results, result, set, files, style: run.answerStyle });
  rmSync(context.logFile, { force: true });
  return { out: run.out, results };
}

/** What decides the answers, as results are stamped with it. */
function settingsOf(run: MepRun, setting: Setting, wording: MepWording) {
  const { system } = run;
  return {
    ...(system.kind === "local" ? localSettings(system) : endpointSettings(system)),
    answerStyle: run.answerStyle,
    reading: verdictReading[run.answerStyle],
    masked: run.masked,
    ...maskSettings(run.masks ?? {}),
    maxNewTokens: run.maxNewTokens,
    embedder: setting.embedder.name,
    emotionWords: setting.emotion.name,
    statements: statementsName(run.decompose),
    ...wording,
    // Beside the question, how a model that was trained otherwise is told of lines and of itself.
    ...(setting.wording.system === null ? {} : { system: setting.wording.system }),
    ...(setting.wording.spoken === (setting.kind?.spoken ?? plainWording.spoken)
      ? {}
      : { spoken: setting.wording.spoken ?? "not told" }),
  };
}

/** Nothing of what is as it always was. */
function maskSettings({ video, audio }: MaskedStreams) {
  return {
    ...(video === undefined ? {} : { videoMask: kindText(video) }),
    ...(audio === undefined ? {} : { audioMask: kindText(audio) }),
  };
}

async function writeAll(folder: string, data: MepPageData): Promise<void> {
  const page = await mepPage(data);
  replaceFile(join(folder, answersName), answersText(data.result, data.style));
  replaceFile(join(folder, "report.html"), page);
  // Last: who finds it finds the others.
  replaceFile(join(folder, resultsName), resultsText(data.results));
}

interface Asking {
  readonly run: MepRun;
  readonly set: MepDirectory;
  readonly setting: Setting;
  readonly files: ReadonlyMap<string, MediaFiles>;
  /** Questions that there are. */
  readonly total: number;
  /** Told of every answer. @throws OppoError ERR_MEP_UNREADABLE */
  readonly onAnswer: (query: Query, text: string) => void;
  readonly logFile: string;
}

async function askLocal(
  { directory, batchSize, load }: Extract<MepSystem, { kind: "local" }>,
  options: MepOptions,
  { run, set, setting, onAnswer, logFile }: Asking,
) {
  // Only here: a server is asked without the addon.
  const [{ ClipLibrary }, { localRespondent }] = await Promise.all([
    import("../../corpus/clips/clip-library.ts"),
    import("../../corpus/clips/local-respondent.ts"),
  ]);
  using model = await loadModel(directory, load);
  using library = new ClipLibrary(model, setting.wording.system);
  const local = localRespondent(model, library, {
    name: directory,
    maxNewTokens: run.maxNewTokens,
    promptText: setting.promptText,
    masked: run.masked,
    batchSize,
    load: (samples) => loadClips(library, samples, set, run.maxClipBytes, run.interrupt.signal),
  });
  const all = [...options.congruent, ...options.conflict];
  const shown = degradedRespondent(local, run.masks ?? {}, (sample, kind) => nextOf(all, sample, numPartners(kind)));
  const respondent = recordedRespondent(shown, logFile, batchSize, async (queries, texts) => {
    for (const [i, query] of queries.entries()) onAnswer(query, texts[i]!);
    await run.interrupt.safePoint();
  });
  return { result: await runMep(respondent, options), notes: [] };
}

/** Decodes what is missing. Past the bound, everything that this batch does not need goes first. */
async function loadClips(
  library: ClipLibrary,
  samples: readonly Sample[],
  set: Pick<MepDirectory, "conflict" | "mediaRoots">,
  maxBytes: number,
  signal: AbortSignal,
): Promise<void> {
  if (library.numBytes > maxBytes) library.retain(new Set(samples.map(({ id }) => id)));
  const inConflict = new Set(set.conflict.map(({ id }) => id));
  for (const sample of samples) {
    if (library.has(sample.id)) continue;
    const root = set.mediaRoots[inConflict.has(sample.id) ? "conflict" : "congruent"];
    const clip = await decodeSample(root, sample, { fit: library.model.fitting }, signal);
    library.add([{ sample, clip }]);
  }
}

async function askEndpoint(
  { client: how, extra }: Extract<MepSystem, { kind: "endpoint" }>,
  options: MepOptions,
  { run, setting, files, total, onAnswer }: Asking,
) {
  using client = openChatClient(how);
  const asking = {
    ...{
      client,
      extra,
      files,
      blackVideos: new Map<string, VideoFile>(),
      signal: run.interrupt.signal,
      concurrency: how.concurrency ?? defaultConcurrency,
    },
    maxNewTokens: run.maxNewTokens,
    masked: run.masked,
    promptText: setting.promptText,
    onAnswer,
    incidents: noIncidents(total),
  };
  const notes = await preflight(options.congruent[0]!, asking);
  const respondent: Respondent = endpointRespondent(asking);
  const result = await runMep(respondent, options);
  return { result, notes: [...notes, ...incidentNotes(asking.incidents)] };
}

/** What reports call a model of a folder: a run keeps its model in "model", so the run's folder names it. */
export function modelName(directory: string): string {
  const folder = resolve(directory);
  return basename(folder) === "model" ? basename(dirname(folder)) || "model" : basename(folder);
}

function localSettings({ directory, batchSize, load = {} }: Extract<MepSystem, { kind: "local" }>) {
  const { device = "cpu", dtype = "as stored", videoTime } = load;
  return {
    ...{ model: basename(resolve(directory)), device, dtype, batchSize },
    ...(videoTime === undefined ? {} : { videoTime }),
  };
}

function endpointSettings({ client: { url, model }, extra }: Extract<MepSystem, { kind: "endpoint" }>) {
  return { model, endpoint: url, extra: extra === null ? null : JSON.stringify(extra) };
}

/** Changes when the model's files do: a run that goes on must not mix the answers of two. */
function fingerprint(directory: string): { readonly fingerprint: string } {
  const hash = createHash("sha256");
  const names = existsSync(directory) ? readdirSync(directory).sort() : [];
  for (const name of names) {
    const { size, mtimeMs } = statSync(join(directory, name));
    hash.update(`${name} ${size} ${mtimeMs}\n`);
  }
  return { fingerprint: hash.digest("hex").slice(0, 16) };
}
