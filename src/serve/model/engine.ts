// The server's side of the engine: starts its process, keeps the queue, sends what waits together as one batch, and passes
// on what comes back. A process that ends, or that has to be ended at a job's deadline, is replaced: the job that did it is
// refused (losses.ts), the others run in the next one.
import { type ChildProcess, fork } from "node:child_process";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { OppoError } from "../../error.ts";
import { makeTemporaryFolder } from "../../temporary-files.ts";
import { type ErrorStatus, HttpError } from "../http/http-error.ts";
import { type Suspect, sortLosses } from "./losses.ts";
import type {
  Answer,
  Change,
  Delta,
  FromEngine,
  Job,
  ModelFacts,
  ModelLook,
  StartMessage,
  ToEngine,
} from "./protocol.ts";
import { Changes } from "./weights/changes.ts";

export interface EngineOptions {
  readonly directory: string;
  readonly device: string | null;
  readonly dtype: StartMessage["dtype"];
  readonly maxContext: number;
  readonly maxBatchTokens: number;
  readonly mediaCacheBytes: number;
  readonly maxBatch: number;
  /** Jobs that may wait; more are refused. */
  readonly maxQueue: number;
  /** For preparing a job, and again for answering what decodes together. */
  readonly maxJobSeconds: number;
  /** Told when the process ended: it is started again, or has ended too often. */
  readonly onEnd: (reason: string, isRestarted: boolean) => void;
  /** Told how many jobs go to the process together. */
  readonly onBatch: (numJobs: number) => void;
  /** What the process says on its error output. */
  readonly onLine: (line: string) => void;
}

/** An engine whose model is loaded. */
export interface Started {
  readonly engine: Engine;
  readonly facts: ModelFacts;
  readonly look: ModelLook;
}

export interface JobListener {
  onBegin(promptIds: readonly number[]): void;
  onDelta(delta: Delta): void;
  /** Only of jobs with a comparison. */
  onCompared?(change: number, nats: readonly number[]): void;
  onDone(answers: readonly Answer[]): void;
  onError(error: HttpError): void;
}

interface Entry extends Suspect {
  readonly job: Job;
  readonly listener: JobListener;
}

const maxSlots = 256;
/** Many ends in a row that no job explains: something is wrong that a new process does not mend. */
const maxUnexplained = 5;
/** The process sees to its deadlines itself between tokens; where it cannot, it is ended this much later. */
const graceSeconds = 5;
const millisecondsPerSecond = 1000;
const retrySeconds = 2;
/** Requests that were sent at once arrive one after another: an idle engine waits this long for the others of a batch. */
const gatherMilliseconds = 5;

export class Engine {
  readonly folder: string;
  readonly #options: EngineOptions;
  readonly #board: number;
  #child: ChildProcess | null = null;
  #facts: ModelFacts | null = null;
  #queue: Entry[] = [];
  #running: readonly Entry[] = [];
  #live = new Set<number>();
  #numUnexplained = 0;
  #numEnds = 0;
  #deadline: NodeJS.Timeout | null = null;
  #isLate = false;
  #lastWordAt = performance.now();
  #isStopping = false;
  #isClosed = false;
  readonly #changes = new Changes((message) => this.#send(message));
  #firstStart: {
    resolve: (started: Pick<Started, "facts" | "look">) => void;
    reject: (error: unknown) => void;
  } | null = null;

  private constructor(options: EngineOptions) {
    this.#options = { ...options, maxBatch: Math.min(options.maxBatch, maxSlots) };
    this.folder = makeTemporaryFolder("serve");
    this.#board = openSync(join(this.folder, "cancel"), "w+");
    writeSync(this.#board, Buffer.alloc(maxSlots));
  }

  /** Loads the model. @throws OppoError as loading does */
  static async start(options: EngineOptions): Promise<Started> {
    const engine = new Engine(options);
    try {
      const { facts, look } = await new Promise<Pick<Started, "facts" | "look">>((resolve, reject) => {
        engine.#firstStart = { resolve, reject };
        engine.#startChild();
      });
      return { engine, facts, look };
    } catch (error) {
      engine.close();
      throw error;
    }
  }

  get isReady(): boolean {
    return this.#facts !== null && this.#child !== null;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get numWaiting(): number {
    return this.#queue.length;
  }

  get numRunning(): number {
    return this.#live.size;
  }

  /** Processes that ended so far. */
  get numEnds(): number {
    return this.#numEnds;
  }

  /** Since the process last said something, while it has work; 0 while it has none. */
  get silentSeconds(): number {
    return this.#running.length === 0 ? 0 : (performance.now() - this.#lastWordAt) / millisecondsPerSecond;
  }

  /** @throws HttpError ERR_SERVER_BUSY (429) when too many wait, ERR_SERVER_STOPPING (503) */
  requireRoom(): void {
    if (this.#isClosed || this.#isStopping) throw stopping();
    if (this.#queue.length < this.#options.maxQueue) return;
    throw new HttpError(
      429,
      "ERR_SERVER_BUSY",
      `queue: expected fewer than ${this.#options.maxQueue} waiting requests, got one more. Try again later.`,
      { retryAfterSeconds: retrySeconds },
    );
  }

  /** @throws HttpError as requireRoom */
  submit(job: Job, listener: JobListener): void {
    this.requireRoom();
    this.#queue.push({ job, listener, hasBegun: false, hasTold: false, numEnds: 0 });
    setTimeout(() => this.#next(), gatherMilliseconds);
  }

  /**
   * Gives the process other weights between two batches; one that takes its place later gets them too.
   * @throws HttpError with what the process says against it (400), ERR_ENGINE_GONE (503)
   */
  change(change: Change): Promise<void> {
    if (this.#isClosed || this.#isStopping || !this.isReady) return Promise.reject(stopping());
    return this.#changes.ask(change);
  }

  /** Nobody waits for this job any more: it leaves the queue, or ends at its next token. */
  cancel(id: number): void {
    this.#queue = this.#queue.filter(({ job }) => job.id !== id);
    const slot = this.#running.findIndex(({ job }) => job.id === id);
    if (slot >= 0 && this.#live.has(id)) writeSync(this.#board, Uint8Array.of(1), 0, 1, slot);
  }

  /** Takes no more jobs and tells those that wait; what runs goes on. */
  stop(): void {
    this.#isStopping = true;
    for (const { listener } of this.#queue) listener.onError(stopping());
    this.#queue = [];
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#changes.lost();
    clearTimeout(this.#deadline ?? undefined);
    this.#child?.kill("SIGKILL");
    for (const { listener } of [...this.#queue, ...this.#running.filter(({ job }) => this.#live.has(job.id))]) {
      listener.onError(stopping());
    }
    this.#queue = [];
    this.#live.clear();
    closeSync(this.#board);
    rmSync(this.folder, { recursive: true, force: true });
  }

  #startChild(): void {
    const { directory, device, dtype, maxContext, maxBatchTokens, mediaCacheBytes, maxJobSeconds, onLine } =
      this.#options;
    const child = fork(fileURLToPath(new URL("./worker.js", import.meta.url)), [String(process.pid), this.folder], {
      serialization: "advanced",
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    this.#child = child;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      for (const line of text.split("\n")) if (line.trim() !== "") onLine(line);
    });
    child.on("message", (message: FromEngine) => this.#take(message));
    child.on("error", (error) => onLine(error.message));
    child.on("exit", (code, signal) => this.#ended(signal ?? `exit code ${code}`));
    const cancelFile = join(this.folder, "cancel");
    const limits = { maxContext, maxBatchTokens, mediaCacheBytes, maxJobSeconds };
    this.#send({ kind: "start", directory, device, dtype, ...limits, cancelFile });
  }

  /** Other weights than the clients think must not answer. */
  #breakOff(reason: string): void {
    this.#options.onEnd(reason, false);
    this.close();
  }

  #send(message: ToEngine): void {
    // A process that is gone says so by its exit.
    if (this.#child?.connected) this.#child.send(message, () => undefined);
  }

  #take(message: FromEngine): void {
    this.#lastWordAt = performance.now();
    switch (message.kind) {
      case "ready":
        this.#facts = message.facts;
        if (this.#numEnds > 0) this.#changes.askAgain();
        this.#firstStart?.resolve(message);
        this.#firstStart = null;
        this.#next();
        return;
      case "unloadable":
        this.#firstStart?.reject(new OppoError(message.code, message.message));
        if (this.#firstStart === null) this.#breakOff(message.message);
        return;
      case "changed":
        if (this.#changes.answered(message)) return;
        this.#breakOff(`the weights of before cannot be loaded again: ${message.problem?.message}`);
        return;
      case "idle":
        this.#numUnexplained = 0;
        this.#running = [];
        this.#live.clear();
        this.#watchDeadline();
        this.#next();
        return;
      default:
        this.#tell(message);
    }
  }

  #tell(message: Extract<FromEngine, { job: number }>): void {
    const entry = this.#running.find(({ job }) => job.id === message.job);
    if (entry === undefined || !this.#live.has(message.job)) return;
    if (message.kind === "delta") {
      entry.hasTold = true;
      entry.listener.onDelta(message.delta);
      return;
    }
    this.#watchDeadline();
    if (message.kind === "compared") entry.listener.onCompared?.(message.change, message.nats);
    else if (message.kind === "begun") {
      entry.hasBegun = true;
      entry.listener.onBegin(message.promptIds);
    } else {
      this.#live.delete(message.job);
      if (message.kind === "done") entry.listener.onDone(message.answers);
      else entry.listener.onError(new HttpError(statusOf(message), message.code, message.message));
    }
  }

  /** Sends the oldest job with all that wait under equal rules; one that a process ended with runs alone. */
  #next(): void {
    if (this.#isClosed || !this.isReady || this.#running.length > 0 || this.#queue.length === 0) return;
    const [first] = this.#queue as [Entry];
    const rules = JSON.stringify(first.job.rules);
    const maxBatch = first.numEnds > 0 ? 1 : this.#options.maxBatch;
    const chosen: Entry[] = [];
    const rest: Entry[] = [];
    for (const entry of this.#queue) {
      const isAlike = entry === first || (entry.numEnds === 0 && JSON.stringify(entry.job.rules) === rules);
      (isAlike && chosen.length < maxBatch ? chosen : rest).push(entry);
    }
    this.#queue = rest;
    this.#running = chosen;
    this.#live = new Set(chosen.map(({ job }) => job.id));
    writeSync(this.#board, Buffer.alloc(maxSlots), 0, maxSlots, 0);
    this.#lastWordAt = performance.now();
    this.#watchDeadline();
    this.#options.onBatch(chosen.length);
    this.#send({ kind: "batch", jobs: chosen.map(({ job }) => job) });
  }

  /** A new step of what runs has its own time. */
  #watchDeadline(): void {
    clearTimeout(this.#deadline ?? undefined);
    if (this.#running.length === 0) return;
    const { maxJobSeconds } = this.#options;
    const seconds = maxJobSeconds + Math.min(graceSeconds, maxJobSeconds);
    this.#deadline = setTimeout(() => {
      this.#isLate = true;
      this.#child?.kill("SIGKILL");
    }, seconds * millisecondsPerSecond);
  }

  #ended(how: string): void {
    const isLate = this.#isLate;
    this.#child = null;
    this.#facts = null;
    this.#isLate = false;
    clearTimeout(this.#deadline ?? undefined);
    if (this.#isClosed) return;
    this.#numEnds++;
    this.#changes.lost();
    const reason = isLate
      ? "the engine's process was ended at a job's deadline"
      : `the engine's process ended (${how})`;
    if (this.#firstStart !== null) {
      this.#firstStart.reject(new OppoError("ERR_ENGINE_GONE", `engine: expected the model to load, but ${reason}.`));
      return;
    }
    const lost = this.#running.filter(({ job }) => this.#live.has(job.id));
    this.#running = [];
    this.#live.clear();
    const { again, refused } = sortLosses(lost, isLate, this.#options.maxJobSeconds, reason);
    for (const { entry, error } of refused) entry.listener.onError(error);
    this.#queue = [...again, ...this.#queue];
    if (this.#isStopping) this.stop();
    if (lost.length === 0) this.#numUnexplained++;
    const isRestarted = this.#numUnexplained < maxUnexplained;
    this.#options.onEnd(reason, isRestarted);
    if (isRestarted) this.#startChild();
    else this.close();
  }
}

function statusOf({ isRequest, code }: Extract<FromEngine, { kind: "failed" }>): ErrorStatus {
  if (code === "ERR_ENGINE_DEADLINE") return 503;
  if (code === "ERR_MODEL_NAME") return 404;
  return isRequest ? 400 : 500;
}

function stopping(): HttpError {
  return new HttpError(
    503,
    "ERR_SERVER_STOPPING",
    "server: expected to go on, got a request to stop. Try again later.",
    {
      retryAfterSeconds: retrySeconds,
    },
  );
}
