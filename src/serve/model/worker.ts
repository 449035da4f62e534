// The engine's process: loads the model and decodes the batches that the server sends, one after another. It is a process
// of its own so that the server's connections stay live, and so that media that bring FFmpeg down bring nothing else down.
import { openSync, readSync, rmSync } from "node:fs";
import { OppoError } from "../../error.ts";
import { watchParent } from "../../media/isolated/watch-parent.ts";
import { loadModel, readArchitecture } from "../../models/registry.ts";
import { releaseMemory } from "../../tensor/index.ts";
import { HttpError } from "../http/http-error.ts";
import { DecodedClips } from "./media/decoded-clips.ts";
import type { FromEngine, Job, StartMessage, ToEngine } from "./protocol.ts";
import { WorkerModels } from "./weights/worker-models.ts";
import { failure, runBatch } from "./worker-batch.ts";

/** So often a running batch looks whether its jobs are still wanted. */
const lookMilliseconds = 10;
/** Two clips of the longest prompts, or some hundred short ones. */
const maxClipBytes = 1 << 28;
/** Media with something missing that are named, and how often their count is told after them. */
const maxNamedMedia = 3;
const everyNoticed = 100;

const [server, folder] = process.argv.slice(2) as [string, string];

// The server decides when to end; a terminal's Ctrl-C reaches this process too.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => undefined);
process.on("disconnect", () => {
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
});
// No message is read while a batch runs, nor the end of the channel: a thread sees that the server is gone.
watchParent({ parent: Number(server), folder, maxBytes: null, maxCpuSeconds: null });

let running: Promise<void> = Promise.resolve();
let engine: {
  readonly models: WorkerModels;
  readonly clips: DecodedClips;
  readonly maxContext: number;
  readonly maxBatchTokens: number;
  readonly maxJobSeconds: number;
  readonly isCancelled: (slot: number) => boolean;
  readonly lookAgain: () => void;
} | null = null;

process.on("message", (message: ToEngine) => {
  running = running
    .then(() => take(message))
    .catch((error: unknown) => {
      process.emitWarning(error instanceof Error ? error : String(error));
      process.exit(1);
    });
});

let numNoticed = 0;

/** A warning stands in the server's log: the first ones, then every hundredth with the count. */
function onNotices(kind: string, notices: readonly string[]): void {
  numNoticed++;
  if (numNoticed > maxNamedMedia && numNoticed % everyNoticed !== 0) return;
  process.emitWarning(`media that gave less than they state: ${numNoticed}; this ${kind} part: ${notices.join("; ")}`);
}

async function take(message: ToEngine): Promise<void> {
  if (message.kind === "start") await start(message);
  else if (engine !== null) {
    if (message.kind === "change") await change(message, engine.models);
    else await batch(message.jobs, engine);
  }
}

async function batch(jobs: readonly Job[], { models, ...work }: NonNullable<typeof engine>): Promise<void> {
  work.lookAgain();
  try {
    await runBatch(jobs, { ...work, ...models.of(jobs[0]!.rules.adapter), send, onNotices });
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    for (const job of jobs) send(failure(job, error, true));
  }
  releaseMemory();
  send({ kind: "idle" });
}

async function change({ id, change }: Extract<ToEngine, { kind: "change" }>, models: WorkerModels): Promise<void> {
  try {
    await models.change(change);
    releaseMemory();
    send({ kind: "changed", id, problem: null });
  } catch (error) {
    if (!(error instanceof OppoError)) throw error;
    send({ kind: "changed", id, problem: { code: error.code, message: error.message } });
  }
}

async function start(message: StartMessage): Promise<void> {
  try {
    const options = {
      ...(message.device === null ? {} : { device: message.device }),
      ...(message.dtype === null ? {} : { dtype: message.dtype }),
    };
    const model = await loadModel(message.directory, options);
    const { maxContext, maxBatchTokens, mediaCacheBytes, maxJobSeconds } = message;
    const models = new WorkerModels(model, mediaCacheBytes, (directory) =>
      loadModel(directory, { ...options, checkValues: true }),
    );
    const limits = { maxContext, maxBatchTokens, maxJobSeconds };
    engine = { models, clips: new DecodedClips(maxClipBytes), ...limits, ...cancelBoard(message.cancelFile) };
    const { title } = await readArchitecture(message.directory);
    const parameters = [...model.parameters().values()];
    send({
      kind: "ready",
      facts: {
        architecture: title,
        dtype: parameters[0]?.dtype ?? "none",
        numParameters: parameters.reduce((sum, { shape }) => sum + shape.reduce((size, side) => size * side, 1), 0),
        maxContext,
      },
      look: { fitting: model.fitting, fitKey: model.fitKey },
    });
  } catch (error) {
    if (!(error instanceof OppoError)) throw error;
    send({ kind: "unloadable", code: error.code, message: error.message });
  }
}

/** Messages do not arrive while a batch runs, so the server leaves its word in a file of one byte per slot. */
function cancelBoard(file: string): { isCancelled(slot: number): boolean; lookAgain(): void } {
  const handle = openSync(file, "r");
  const board = Buffer.alloc(256);
  let lookedAt = Number.NEGATIVE_INFINITY;
  return {
    isCancelled(slot) {
      const time = performance.now();
      if (time - lookedAt >= lookMilliseconds) {
        readSync(handle, board, 0, board.length, 0);
        lookedAt = time;
      }
      return board[slot] !== 0;
    },
    /** The slots are other jobs' now. */
    lookAgain() {
      lookedAt = Number.NEGATIVE_INFINITY;
    },
  };
}

function send(message: FromEngine): void {
  if (process.connected) process.send?.(message);
}
