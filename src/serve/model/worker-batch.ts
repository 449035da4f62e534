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
import type { MediaRows } from "./media-rows.ts";
import { featuresOf } from "./medium.ts";
import { promptOf } from "./prompt.ts";
import type { Answer, FromEngine, Job, ScoredToken, TokenText } from "./protocol.ts";
import { SequenceText } from "./sequence-text.ts";

export interface BatchWork {
  readonly model: OmniModel;
  readonly media: MediaRows;
  readonly maxContext: number;
  /** Places in the cache that sequences which decode together may take. */
  readonly maxBatchTokens: number;
  readonly send: (message: FromEngine) => void;
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
  finish: Answer["finish"] | null;
}

/** @param jobs with equal rules */
export async function runBatch(jobs: readonly Job[], work: BatchWork): Promise<void> {
  const prepared: Prepared[] = [];
  for (const [slot, job] of jobs.entries()) {
    try {
      const ready = await prepare(job, slot, work);
      work.send({ kind: "begun", job: job.id, promptIds: Array.from(ready.tokens.ids) });
      prepared.push(ready);
    } catch (error) {
      work.send(failure(job, error, true));
    }
  }
  for (const together of fittingBatches(prepared, work.maxBatchTokens)) {
    try {
      decode(together, work);
    } catch (error) {
      for (const { job } of together) work.send(failure(job, error, false));
    }
  }
  work.media.trim();
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
  const { model, media, maxContext, maxBatchTokens } = work;
  const shapes: ClipShape[] = [];
  for (const file of job.media) shapes.push(await media.shapeOf(file.key, () => featuresOf(model, file)));
  const tokens = promptOf(model, job.turns, job.media, shapes);
  const needed = tokens.ids.length + job.maxNewTokens;
  if (needed > maxContext) {
    throw new HttpError(
      400,
      "ERR_REQUEST_CONTEXT",
      `messages: expected at most ${maxContext} tokens with the answer, got ${tokens.ids.length} of the prompt and ${job.maxNewTokens} of max_tokens. Send less, or ask for fewer.`,
    );
  }
  const places = cachePlaces([{ job, tokens }]);
  if (places <= maxBatchTokens) return { job, slot, tokens };
  throw new HttpError(
    400,
    "ERR_REQUEST_CONTEXT",
    `n: expected at most ${maxBatchTokens} tokens in all answers with the prompt, got ${places}. Ask for fewer answers or shorter ones.`,
  );
}

function failure(job: Job, error: unknown, isRequest: boolean): FromEngine {
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

function decode(prepared: readonly Prepared[], { model, media, send, isCancelled }: BatchWork): void {
  media.encodeWaiting();
  scope(() => {
    const prompts = prepared.map(({ job, tokens }): ModelPrompt => ({ tokens, rows: rowsOf(job, media) }));
    const [{ job: first }] = prepared as [Prepared];
    const { numSamples, temperature, topP, topK, repetitionPenalty } = first.rules;
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
      else take(model, job, sample, sequence, chosen, send);
      return sequence.finish === null ? undefined : ("stop" as const);
    };
    model.sample(prompts, {
      numSamples,
      temperature,
      maxNewTokens: Math.max(...prepared.map(({ job }) => job.maxNewTokens)),
      seeds: prepared.flatMap(({ job }) => job.seeds),
      ...(topP === null ? {} : { topP }),
      ...(topK === null ? {} : { topK }),
      ...(repetitionPenalty === null ? {} : { repetitionPenalty }),
      numLikeliest: Math.max(...prepared.map(({ job }) => job.numLikeliest ?? 0)),
      onToken,
    });
    prepared.forEach(({ job }, i) => {
      const answers = sequences[i]!.map(({ text, ids, tokens, finish }) => {
        return { text: text.text, ids, tokens, finish: finish ?? "length" };
      });
      send({ kind: "done", job: job.id, answers });
    });
  });
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
  if (isStop) {
    text = sequence.text.finish();
    sequence.finish = "stop";
  } else {
    if (job.numLikeliest !== null) sequence.unsent.push(scored(model, chosen, job.numLikeliest));
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
