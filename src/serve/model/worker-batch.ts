// One batch of jobs in the engine's process: clips and prompts of each, one decode for all, and what their sequences gain
// as they gain it. A job that cannot be prepared fails alone.
import { OppoError } from "../../error.ts";
import { joinRows } from "../../models/clip-rows.ts";
import type {
  ChosenToken,
  ClipRows,
  ClipShape,
  ModelPrompt,
  OmniModel,
  PromptTokens,
} from "../../models/omni-model.ts";
import { noGrad, scope } from "../../tensor/index.ts";
import { HttpError } from "../http/http-error.ts";
import { compare } from "./compare.ts";
import { deadlineError } from "./losses.ts";
import type { DecodedClips } from "./media/decoded-clips.ts";
import type { MediaRows } from "./media/media-rows.ts";
import { featuresOf, type MediumBounds } from "./medium.ts";
import { promptOf } from "./prompt.ts";
import type { Answer, FromEngine, Job, ScoredToken, TokenText } from "./protocol.ts";
import { SequenceText } from "./sequence-text.ts";

/** So often a job that is being prepared looks whether it is still wanted. */
const lookMilliseconds = 50;
const millisecondsPerSecond = 1000;

export interface BatchWork {
  readonly model: OmniModel;
  readonly media: MediaRows;
  readonly clips: DecodedClips;
  readonly maxContext: number;
  /** Places in the cache that sequences which decode together may take. */
  readonly maxBatchTokens: number;
  /** For preparing a job, and again for answering what decodes together. */
  readonly maxJobSeconds: number;
  readonly send: (message: FromEngine) => void;
  readonly onNotices?: MediumBounds["onNotices"];
  /** Whether the job in this slot is not wanted any more. */
  readonly isCancelled: (slot: number) => boolean;
}

interface Prepared {
  readonly job: Job;
  readonly slot: number;
  readonly tokens: PromptTokens;
}

/** One sequence under construction. */
interface Sequence {
  readonly text: SequenceText;
  readonly ids: number[];
  readonly tokens: ScoredToken[];
  /** Tokens that no delta has carried yet. */
  unsent: ScoredToken[];
  finish: Answer["finish"] | "late" | null;
}

/** @param jobs with equal rules */
export async function runBatch(jobs: readonly Job[], work: BatchWork): Promise<void> {
  const prepared: Prepared[] = [];
  for (const [slot, job] of jobs.entries()) {
    try {
      const ids = job.plainText === undefined ? null : work.model.encodeText(job.plainText);
      const ready = ids === null ? await prepare(job, slot, work) : null;
      work.send({ kind: "begun", job: job.id, promptIds: Array.from(ids ?? ready!.tokens.ids) });
      if (ready !== null && job.maxNewTokens > 0) prepared.push(ready);
      else work.send({ kind: "done", job: job.id, answers: [] });
    } catch (error) {
      work.send(failure(job, error, true));
      const needed = new Set(prepared.flatMap((one) => one.job.media.map(({ key }) => key)));
      work.media.forgetWaiting(needed);
    }
  }
  const wanted = prepared.filter(({ job, slot }) => {
    const isGone = work.isCancelled(slot);
    if (isGone) work.send(failure(job, cancelled(), true));
    return !isGone;
  });
  const asked = wanted.filter(({ job }) => job.comparison === undefined);
  for (const together of fittingBatches(asked, work.maxBatchTokens)) {
    try {
      decode(together, work);
    } catch (error) {
      for (const { job } of together) work.send(failure(job, error, false));
    }
  }
  work.media.trim();
  // Somebody reads answers word by word; figures may come after them.
  for (const one of wanted) await compareOne(one, work);
}

async function compareOne({ job, slot, tokens }: Prepared, work: BatchWork): Promise<void> {
  const { comparison, media } = job;
  if (comparison === undefined) return;
  const { model, clips, maxContext: maxTokens, send } = work;
  const isCancelled = () => work.isCancelled(slot);
  const own = { job: job.id, comparison, file: media[0], tokens };
  try {
    await compare(model, { ...own, maxTokens, clips, send, isCancelled });
    send({ kind: "done", job: job.id, answers: [] });
  } catch (error) {
    send(failure(job, error, true));
  }
}

/** Nobody reads it. */
function cancelled(): HttpError {
  return new HttpError(503, "ERR_SERVER_STOPPING", "request: expected somebody to wait for it, got nobody.");
}

/** Jobs in their order, so many at once as the cache may hold: prompts are padded to the longest, answers to the limit. */
export function fittingBatches<T extends Sized>(jobs: readonly T[], maxBatchTokens: number): T[][] {
  const batches: T[][] = [];
  for (const one of jobs) {
    const last = batches.at(-1);
    if (last !== undefined && cachePlaces([...last, one]) <= maxBatchTokens) last.push(one);
    else batches.push([one]);
  }
  return batches;
}

interface Sized {
  readonly job: Pick<Job, "maxNewTokens" | "rules">;
  readonly tokens: { readonly ids: { readonly length: number } };
}

function cachePlaces(jobs: readonly Sized[]): number {
  const longest = Math.max(...jobs.map(({ tokens }) => tokens.ids.length));
  const perJob = Math.max(...jobs.map(({ job }) => job.maxNewTokens * job.rules.numSamples));
  return jobs.length * (longest + perJob);
}

async function prepare(job: Job, slot: number, work: BatchWork): Promise<Prepared> {
  const { model, maxContext, maxBatchTokens } = work;
  const shapes = await readMedia(job, slot, work);
  const tokens = promptOf(model, job.turns, job.media, shapes);
  const needed = tokens.ids.length + job.maxNewTokens;
  if (needed > maxContext) throw tooLong(maxContext, String(tokens.ids.length), job.maxNewTokens);
  const places = cachePlaces([{ job, tokens }]);
  if (places <= maxBatchTokens) return { job, slot, tokens };
  throw new HttpError(
    400,
    "ERR_REQUEST_CONTEXT",
    `n: expected at most ${maxBatchTokens} tokens in all answers with the prompt, got ${places}. Ask for fewer answers or shorter ones.`,
  );
}

function tooLong(maxContext: number, prompt: string, answer: number): HttpError {
  return new HttpError(
    400,
    "ERR_REQUEST_CONTEXT",
    `messages: expected at most ${maxContext} tokens with the answer, got ${prompt} of the prompt and ${answer} of max_tokens. Send less, or ask for fewer.`,
  );
}

/** The sizes of a job's media, one after another; what they take is counted on the way, and whether anybody still waits. */
async function readMedia(job: Job, slot: number, work: BatchWork): Promise<ClipShape[]> {
  const { model, media, clips, maxContext, maxJobSeconds, isCancelled, onNotices } = work;
  const stop = new AbortController();
  const look = setInterval(() => {
    if (isCancelled(slot)) stop.abort(cancelled());
  }, lookMilliseconds);
  const late = setTimeout(() => stop.abort(deadlineError(maxJobSeconds)), maxJobSeconds * millisecondsPerSecond);
  try {
    const shapes: ClipShape[] = [];
    let numTokens = 0;
    for (const file of job.media) {
      stop.signal.throwIfAborted();
      const told = onNotices === undefined ? {} : { onNotices };
      const bounds = { maxTokens: maxContext, signal: stop.signal, clips, ...told };
      const shape = await media.shapeOf(file.key, () => featuresOf(model, file, bounds));
      shapes.push(shape);
      numTokens += media.numTokens(shape);
      if (numTokens > maxContext) throw tooLong(maxContext, `${numTokens} or more`, job.maxNewTokens);
    }
    return shapes;
  } finally {
    clearInterval(look);
    clearTimeout(late);
  }
}

export function failure(job: Job, error: unknown, isRequest: boolean): FromEngine {
  // Tensors complain about our own mistakes, whenever that is.
  const isOurs = !(error instanceof OppoError) || error.code === "ERR_OPERATOR_FAILED";
  if (isOurs) process.emitWarning(error instanceof Error ? error : String(error));
  const { code, message } =
    error instanceof OppoError ? error : { code: "ERR_INTERNAL" as const, message: String(error) };
  return { kind: "failed", job: job.id, isRequest: isRequest && !isOurs, code, message: withoutPaths(job, message) };
}

/** A client knows its parts, not our files. */
function withoutPaths(job: Job, message: string): string {
  return job.media.reduce((text, file) => {
    const paths = file.kind === "frames" ? file.paths : [file.path];
    return paths.reduce((rest, path) => rest.replaceAll(path, `${file.kind} part`), text);
  }, message);
}

function decode(prepared: readonly Prepared[], work: BatchWork): void {
  const { model, media, maxJobSeconds, send, isCancelled } = work;
  const end = performance.now() + maxJobSeconds * millisecondsPerSecond;
  media.encodeWaiting();
  scope(() => {
    const prompts = prepared.map(({ job, tokens }): ModelPrompt => ({ tokens, rows: rowsOf(job, media) }));
    const [{ job: first }] = prepared as [Prepared];
    const { numSamples, temperature, logprobTemperature, topP, topK, repetitionPenalty } = first.rules;
    const decodePieces = (ids: Int32Array) => model.decodePieces(ids);
    const sequences = prepared.map(({ job }) =>
      Array.from({ length: numSamples }, (): Sequence => {
        return { text: new SequenceText(decodePieces, job.stop), ids: [], tokens: [], unsent: [], finish: null };
      }),
    );
    const onToken = (prompt: number, sample: number, chosen: ChosenToken) => {
      const { job, slot } = prepared[prompt]!;
      const sequence = sequences[prompt]![sample]!;
      if (isCancelled(slot)) sequence.finish = "cancelled";
      else if (performance.now() > end) sequence.finish = "late";
      else take(model, job, sample, sequence, chosen, send);
      return sequence.finish === null ? undefined : ("stop" as const);
    };
    model.sample(prompts, {
      numSamples,
      temperature,
      logprobTemperature,
      maxNewTokens: Math.max(...prepared.map(({ job }) => job.maxNewTokens)),
      seeds: prepared.flatMap(({ job }) => job.seeds),
      ...(topP === null ? {} : { topP }),
      ...(topK === null ? {} : { topK }),
      ...(repetitionPenalty === null ? {} : { repetitionPenalty }),
      numLikeliest: Math.max(...prepared.map(({ job }) => job.numLikeliest ?? 0)),
      onToken,
    });
    prepared.forEach(({ job }, i) => {
      const own = sequences[i]!;
      if (own.some(({ finish }) => finish === "late")) send(failure(job, deadlineError(maxJobSeconds), true));
      else send({ kind: "done", job: job.id, answers: own.map((sequence) => answerOf(sequence, decodePieces)) });
    });
  });
}

function answerOf({ text, ids, tokens, finish }: Sequence, decodePieces: OmniModel["decodePieces"]): Answer {
  const pieces = decodePieces(Int32Array.from(ids));
  return { text: text.text, ids, pieces, tokens, finish: finish === null || finish === "late" ? "length" : finish };
}

/** Tower rows of a job's media, null without any; the caller's scope frees the copy. */
function rowsOf(job: Job, media: MediaRows): ClipRows | null {
  return job.media.length === 0 ? null : noGrad(() => joinRows(job.media.map(({ key }) => media.rows(key))));
}

/** Adds a token to its sequence, tells what became visible, and sets `finish` where the sequence ends. */
function take(
  model: OmniModel,
  job: Job,
  sample: number,
  sequence: Sequence,
  chosen: ChosenToken,
  send: BatchWork["send"],
): void {
  sequence.ids.push(chosen.id);
  const isStop = model.stopIds.includes(chosen.id);
  let text = "";
  if (job.numLikeliest !== null && (!isStop || job.tellsStop)) {
    sequence.unsent.push(scored(model, chosen, job.numLikeliest));
  }
  if (isStop) {
    text = sequence.text.finish();
    sequence.finish = "stop";
  } else {
    const pushed = sequence.text.push(chosen.id);
    text = pushed.text;
    if (pushed.isStopped) sequence.finish = "stop";
    else if (sequence.ids.length >= job.maxNewTokens) {
      text += sequence.text.finish();
      sequence.finish = "length";
    }
  }
  const tokens = sequence.unsent;
  sequence.unsent = [];
  sequence.tokens.push(...tokens);
  if (job.isStreamed && (text !== "" || tokens.length > 0)) {
    send({ kind: "delta", job: job.id, delta: { sample, text, tokens } });
  }
}

function scored(model: OmniModel, { id, logprob, likeliest }: ChosenToken, count: number): ScoredToken {
  const textOf = (one: number) => model.decodePieces(Int32Array.of(one))[0]!;
  const named = (token: { readonly id: number; readonly logprob: number }): TokenText => {
    return { id: token.id, text: textOf(token.id), logprob: token.logprob };
  };
  return { ...named({ id, logprob }), likeliest: likeliest.slice(0, count).map(named) };
}
