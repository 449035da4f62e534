// `oppo serve model`: the engine and its routes on an address, with everything that a user may set.
import { basename, resolve } from "node:path";
import { Counters } from "../http/counters.ts";
import { type CloseOptions, type Listening, listen } from "../http/listen.ts";
import { Engine } from "./engine.ts";
import { modelApp } from "./model-app.ts";
import type { ModelFacts, StartMessage } from "./protocol.ts";
import { ServedAdapters } from "./weights/served-adapters.ts";

export interface ServeModelOptions {
  readonly directory: string;
  /** null: the directory's name. */
  readonly name: string | null;
  readonly host: string;
  readonly port: number;
  readonly token: string | null;
  readonly device: string | null;
  readonly dtype: StartMessage["dtype"];
  readonly maxContext: number;
  readonly maxBatchTokens: number;
  readonly mediaCacheBytes: number;
  readonly maxNewTokens: number;
  readonly maxBatch: number;
  readonly maxQueue: number;
  readonly maxJobSeconds: number;
  readonly maxBodyBytes: number;
  readonly allowedMediaFolder: string | null;
  readonly allowsFetch: boolean;
  /** Adapters and weights may be loaded from below it; null: from nowhere. */
  readonly allowWeights: string | null;
  readonly maxAdapters: number;
  readonly maxLoraRank: number;
  readonly logprobsMode: "raw_logprobs" | "processed_logprobs";
  /** The engine ends whenever it is started: nothing can be answered any more. */
  readonly onBroken?: () => void;
  /** Lines for whoever watches: restarts, faults. */
  readonly log: (line: string) => void;
}

export interface ModelServer {
  readonly address: string;
  readonly name: string;
  readonly facts: ModelFacts;
  /** Of the engine's process; changes when it is replaced, null in between. */
  readonly enginePid: number | null;
  close(options?: Pick<CloseOptions, "graceSeconds">): Promise<void>;
}

const requestSeconds = 120;
/** What bounds answers is the cache that they take (maxBatchTokens). */
const maxSamples = 4096;
const defaultNewTokens = 512;
/** More than any text has on average: what is longer than the context at this rate is not tokenised to find that out. */
const bytesPerToken = 16;

/** @throws OppoError ERR_SERVER_ADDRESS, and those of loading a model */
export async function serveModel(options: ServeModelOptions): Promise<ModelServer> {
  const { log, directory } = options;
  const counters = new Counters("oppo_model");
  const { engine, facts } = await startEngine(options, counters);
  const name = options.name ?? basename(resolve(directory));
  const { allowWeights, maxAdapters, maxLoraRank } = options;
  const weights = { allowedFolder: allowWeights, maxAdapters, maxRank: maxLoraRank };
  const adapters = new ServedAdapters(engine, weights, name);
  const app = modelApp({
    engine,
    adapters,
    allowedWeights: allowWeights,
    limits: {
      modelName: name,
      isAdapter: (one) => adapters.has(one),
      tellsProcessed: options.logprobsMode === "processed_logprobs",
      maxContext: options.maxContext,
      maxNewTokens: options.maxNewTokens,
      defaultNewTokens: Math.min(defaultNewTokens, options.maxNewTokens),
      maxSamples,
      maxTextBytes: options.maxContext * bytesPerToken,
    },
    media: {
      allowedFolder: options.allowedMediaFolder,
      allowsFetch: options.allowsFetch,
      maxBytes: options.maxBodyBytes,
    },
    maxBodyBytes: options.maxBodyBytes,
    token: options.token,
    host: options.host,
    counters,
    onFault: (error) => log(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  });
  let listening: Listening;
  try {
    listening = await listen(app, { host: options.host, port: options.port, requestSeconds });
  } catch (error) {
    engine.close();
    throw error;
  }
  return {
    address: listening.address,
    name,
    facts,
    get enginePid() {
      return engine.pid;
    },
    async close({ graceSeconds } = {}) {
      // Who waits hears of it now; who is being answered has the time of the grace, and hears of it then.
      engine.stop();
      await listening.close({
        ...(graceSeconds === undefined ? {} : { graceSeconds }),
        onGraceOver: () => engine.close(),
      });
      engine.close();
    },
  };
}

function startEngine(options: ServeModelOptions, counters: Counters): ReturnType<typeof Engine.start> {
  const { log, directory } = options;
  return Engine.start({
    directory: resolve(directory),
    device: options.device,
    dtype: options.dtype,
    maxContext: options.maxContext,
    maxBatchTokens: options.maxBatchTokens,
    mediaCacheBytes: options.mediaCacheBytes,
    maxBatch: options.maxBatch,
    maxQueue: options.maxQueue,
    maxJobSeconds: options.maxJobSeconds,
    onBatch: (numJobs) => {
      counters.add("batches_total");
      counters.add("jobs_total", numJobs);
    },
    onEnd: (reason, isRestarted) => {
      log(`${reason}; ${isRestarted ? "starting it again" : "it ended too often, so this server stops answering"}`);
      if (!isRestarted) options.onBroken?.();
    },
    onLine: log,
  });
}
