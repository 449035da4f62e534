// The routes of `oppo serve model`: /v1/models and /v1/chat/completions, whole or streamed. A client that goes away frees
// its place in the queue or in the batch.
import type { Context } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { deriveSeed } from "../../seeds.ts";
import { createApp, type ServerContext } from "../http/app.ts";
import type { Counters } from "../http/counters.ts";
import { asHttpError, errorBody, type HttpError } from "../http/http-error.ts";
import { BodyReader } from "../http/read-json.ts";
import { type CallLimits, type ChatCall, readChatCall } from "./chat-call.ts";
import { chunk, finishOf, type ReplyHead, usageChunk, usageOf, wholeReply } from "./chat-reply.ts";
import type { Engine } from "./engine.ts";
import { JobRun } from "./job-run.ts";
import { type MediaFiles, type MediaPolicy, placeMedia } from "./media/media-source.ts";
import { requireConversation } from "./prompt.ts";
import type { Answer } from "./protocol.ts";
import { readTokenizeCall } from "./tokenize.ts";
import { addModelRoutes } from "./weights/model-routes.ts";
import type { ServedAdapters } from "./weights/served-adapters.ts";
import { addWeightRoutes } from "./weights/weight-routes.ts";

export interface ModelAppOptions {
  readonly engine: Engine;
  readonly adapters: ServedAdapters;
  /** Where weights may come from; null: from nowhere. */
  readonly allowedWeights: string | null;
  readonly limits: CallLimits;
  readonly media: MediaPolicy;
  readonly maxBodyBytes: number;
  readonly token: string | null;
  readonly host: string;
  readonly counters: Counters;
  readonly onFault: (error: unknown) => void;
}

const millisecondsPerSecond = 1000;
const clientGone = 499;
/** An engine that works and says nothing for so long cannot answer others, whatever it is at. */
const longSilenceSeconds = 60;

export function modelApp(options: ModelAppOptions) {
  const { engine, limits, counters } = options;
  const startedAt = Date.now();
  const bodies = new BodyReader(options.maxBodyBytes);
  let numCalls = 0;
  const app = createApp({
    token: options.token,
    host: options.host,
    counters,
    onFault: options.onFault,
    health: () => ({
      isHealthy: engine.isReady && engine.silentSeconds < longSilenceSeconds,
      model: limits.modelName,
      waiting: engine.numWaiting,
      running: engine.numRunning,
      /** Since the engine last said something, while it works. */
      silent_seconds: Math.round(engine.silentSeconds),
      engine_ends: engine.numEnds,
    }),
  });
  counters.gauge("waiting", () => engine.numWaiting);
  counters.gauge("running", () => engine.numRunning);
  counters.gauge("engine_ends", () => engine.numEnds);
  const { modelName: id, maxContext } = limits;
  addModelRoutes(app, { id, created: Math.floor(startedAt / millisecondsPerSecond), maxContext }, options.adapters);
  addWeightRoutes(app, { engine, adapters: options.adapters, allowedFolder: options.allowedWeights, bodies });
  app.post("/v1/chat/completions", async (c) => {
    const id = ++numCalls;
    const gone = new AbortController();
    c.env.outgoing.on("close", () => gone.abort());
    const received = await receive(c, options, bodies, () => deriveSeed(startedAt, id), gone.signal);
    const head: ReplyHead = {
      id: `chatcmpl-${startedAt.toString(36)}-${id}`,
      created: Math.floor(Date.now() / millisecondsPerSecond),
      model: limits.modelName,
    };
    return await answer(c, { ...options, ...received, id, head, gone: gone.signal });
  });
  app.post("/tokenize", async (c) => {
    const gone = new AbortController();
    c.env.outgoing.on("close", () => gone.abort());
    engine.requireRoom();
    const { job, media: parts } = readTokenizeCall(await bodies.json(c.env.incoming), limits);
    if (job.plainText === undefined) requireConversation(job.turns);
    await using media = await placeMedia(parts, options.media, engine.folder, gone.signal);
    const tokens = await new JobRun(engine, { ...job, id: ++numCalls, media: media.files }, gone.signal).begun;
    return c.json({ count: tokens.length, max_model_len: limits.maxContext, tokens, token_strs: null });
  });
  return app;
}

interface Received {
  readonly call: Omit<ChatCall, "media">;
  readonly media: MediaFiles;
}

/** Reads a request and puts its media into files: what was sent is let go of before it waits. */
async function receive(
  c: Context<ServerContext>,
  { engine, limits, media: policy }: ModelAppOptions,
  bodies: BodyReader,
  freshSeed: () => number,
  gone: AbortSignal,
): Promise<Received> {
  engine.requireRoom();
  const { media, ...call } = readChatCall(await bodies.json(c.env.incoming), limits, freshSeed);
  requireConversation(call.job.turns);
  return { call, media: await placeMedia(media, policy, engine.folder, gone) };
}

interface Answering extends Omit<ModelAppOptions, "media">, Received {
  readonly id: number;
  readonly head: ReplyHead;
  /** Aborted once the client went away. */
  readonly gone: AbortSignal;
}

async function answer(c: Context<ServerContext>, one: Answering): Promise<Response> {
  const { engine, call, media, id, gone } = one;
  try {
    gone.throwIfAborted();
    const run = new JobRun(engine, { ...call.job, id, media: media.files }, gone);
    const promptIds = await run.begun;
    if (call.job.isStreamed) return streamed(c, one, run, promptIds);
    const answers = await run.done;
    count(one.counters, promptIds, answers);
    const { returnTokenIds, namesTokensById } = call;
    const options = { hasLogprobs: call.job.numLikeliest !== null, returnTokenIds, namesTokensById };
    const response = c.json(wholeReply(one.head, promptIds, answers, options));
    await media[Symbol.asyncDispose]();
    return response;
  } catch (error) {
    await media[Symbol.asyncDispose]();
    // Nobody reads this any more.
    if (gone.aborted) return new Response(null, { status: clientGone });
    throw error;
  }
}

function streamed(
  c: Context<ServerContext>,
  { head, call, media, counters, onFault, gone }: Answering,
  run: JobRun,
  promptIds: readonly number[],
): Response {
  return streamSSE(c, async (stream) => {
    try {
      const write = (value: unknown) => stream.writeSSE({ data: JSON.stringify(value) });
      const numSamples = call.job.rules.numSamples;
      for (let i = 0; i < numSamples; i++) await write(chunk(head, i, { role: "assistant", content: "" }, [], null));
      let writing = Promise.resolve();
      run.follow(({ sample, text, tokens }) => {
        writing = writing.then(() => write(chunk(head, sample, { content: text }, tokens, null, call.namesTokensById)));
      });
      const answers = await run.done;
      await writing;
      for (const [i, one] of answers.entries()) await write(chunk(head, i, {}, [], finishOf(one)));
      if (call.includeUsage) await write(usageChunk(head, usageOf(promptIds.length, answers)));
      await stream.writeSSE({ data: "[DONE]" });
      count(counters, promptIds, answers);
    } catch (thrown) {
      if (!gone.aborted) await tellFailure(stream, asHttpError(thrown), onFault);
    } finally {
      await media[Symbol.asyncDispose]();
    }
  });
}

/** A stream has its status already: the reason comes as its last event. */
async function tellFailure(
  stream: SSEStreamingApi,
  error: HttpError,
  onFault: (error: unknown) => void,
): Promise<void> {
  onFault(error.cause ?? error);
  await stream.writeSSE({ data: JSON.stringify(errorBody(error)) });
}

function count(counters: Counters, promptIds: readonly number[], answers: readonly Answer[]): void {
  const { prompt_tokens, completion_tokens } = usageOf(promptIds.length, answers);
  counters.add("prompt_tokens_total", prompt_tokens);
  counters.add("completion_tokens_total", completion_tokens);
}
